"""What is on the rise: shares of issues and keywords now against before, with the test and its correction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from triage.batch.report.significance import FALSE_DISCOVERIES, Share, adjusted, p_value

_MAX_TESTED = 2_000


@dataclass(frozen=True, slots=True)
class Change:
    """How often something was seen now and before; `rate` is the false discovery rate of calling them different."""

    name: str
    now: Share
    before: Share
    rate: float

    @property
    def rises(self) -> bool:
        """Whether it is significantly more frequent now."""
        return self.rate <= FALSE_DISCOVERIES and self.now.value > self.before.value

    @property
    def factor(self) -> float | None:
        """How many times as frequent as before; None if it was not there before."""
        return self.now.value / self.before.value if self.before.count else None


def changes(now: Mapping[str, int], before: Mapping[str, int], whole_now: int, whole_before: int) -> list[Change]:
    """Changes of everything that was counted, the surest first. All are tested together, so all are corrected for."""
    both = Counter(now)
    both.update(before)
    names = [name for name, _ in both.most_common(_MAX_TESTED)]
    shares = [(Share(now.get(name, 0), whole_now), Share(before.get(name, 0), whole_before)) for name in names]
    rates = adjusted([p_value(*pair) for pair in shares])
    found = [Change(name, *pair, rate) for name, pair, rate in zip(names, shares, rates, strict=True)]
    return sorted(found, key=lambda change: (change.rate, -change.now.count))


def rising(found: Iterable[Change], smallest: int, at_most: int) -> list[Change]:
    """Those that rise, seen in at least `smallest` contacts now."""
    return [change for change in found if change.rises and change.now.count >= smallest][:at_most]

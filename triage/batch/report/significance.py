"""Is a difference between two shares more than chance? Exact enough for counts, and corrected for asking often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FALSE_DISCOVERIES = 0.05
LEAST_EXPECTED = 5.0


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `whole`."""

    count: int
    whole: int

    @property
    def value(self) -> float:
        """From 0 to 1; 0 of nothing."""
        return self.count / self.whole if self.whole else 0.0


def p_value(one: Share, other: Share) -> float:
    """Two-sided p-value of the log-likelihood ratio (G) test that two shares are alike, 1 degree of freedom.

    1.0 where an expected count is below 5: the test does not hold there, and nothing is claimed.
    """
    whole, hits = one.whole + other.whole, one.count + other.count
    if not one.whole or not other.whole or not 0 < hits < whole:
        return 1.0
    g = 0.0
    for share in (one, other):
        for seen, total in ((share.count, hits), (share.whole - share.count, whole - hits)):
            expected = share.whole * total / whole
            if expected < LEAST_EXPECTED:
                return 1.0
            g += 2 * seen * math.log(seen / expected) if seen else 0.0
    return math.erfc(math.sqrt(max(g, 0.0) / 2))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Benjamini-Hochberg: the false discovery rate at which each of several tests would be called significant."""
    order = sorted(range(len(p_values)), key=lambda place: -p_values[place])
    found, least = [1.0] * len(p_values), 1.0
    for position, place in enumerate(order):
        least = min(least, p_values[place] * len(p_values) / (len(p_values) - position))
        found[place] = least
    return found


def directions(pairs: Sequence[tuple[Share, Share]]) -> list[int]:
    """For each pair 1 if the first share is significantly higher than the second, -1 if lower, 0 if neither."""
    rates = adjusted([p_value(*pair) for pair in pairs])
    return [
        0 if rate > FALSE_DISCOVERIES else (1 if one.value > other.value else -1)
        for (one, other), rate in zip(pairs, rates, strict=True)
    ]

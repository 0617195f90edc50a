"""What contacts can be grouped by, and the counts of each group: bounded memory however many values there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

from triage.batch.names import value_name
from triage.case import Case

DIMENSIONS = {
    "product": "产品",
    "region": "地区",
    "customer_type": "客户类型",
    "channel": "渠道",
    "agent_id": "坐席",
    "month": "月份",
}
PAIRS = tuple(combinations(DIMENSIONS, 2))
CONTACTS = "contacts"
_MAX_VALUES = 2_000
_MAX_CELLS = 10_000
_MAX_NAME = 40


def values_of(case: Case) -> dict[str, str]:
    """The value of each dimension that is known of a case."""
    month = case.created_at.strftime("%Y-%m") if case.created_at else None
    found = {name: month if name == "month" else getattr(case, name) for name in DIMENSIONS}
    return {name: value for name, value in found.items() if value and (name, value) != ("channel", "other")}


def shown_value(value: str) -> str:
    """A value as a heading: masked, on one line, not endless."""
    name = " ".join(value_name(value).split())
    return name if len(name) <= _MAX_NAME else name[: _MAX_NAME - 1] + "…"


class Groups:
    """Counts and expected loss for each value of one dimension; values beyond `_MAX_VALUES` are not told apart."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.loss: defaultdict[str, float] = defaultdict(float)
        self.rest: Counter[str] = Counter()

    def add(self, value: str, measures: Iterable[str], loss: float) -> None:
        """Count one contact of a group under all its measures."""
        counts = self.counts.get(value)
        if counts is None and len(self.counts) < _MAX_VALUES:
            counts = self.counts[value] = Counter()
        if counts is None:
            self.rest.update(measures)
            return
        counts.update(measures)
        self.loss[value] += loss

    def ranked(self, smallest: int = 1) -> list[tuple[str, Counter[str]]]:
        """Groups of at least `smallest` contacts, the largest first."""
        large = [item for item in self.counts.items() if item[1][CONTACTS] >= smallest]
        return sorted(large, key=lambda item: (-item[1][CONTACTS], item[0]))

    def total(self) -> Counter[str]:
        """The counts of all groups together."""
        whole = Counter(self.rest)
        for counts in self.counts.values():
            whole.update(counts)
        return whole


class Pairs:
    """Contacts and complaints for each two values of two dimensions that met."""

    def __init__(self) -> None:
        self.contacts: dict[tuple[str, str], Counter[tuple[str, str]]] = {pair: Counter() for pair in PAIRS}
        self.complaints: dict[tuple[str, str], Counter[tuple[str, str]]] = {pair: Counter() for pair in PAIRS}

    def add(self, values: Mapping[str, str], complaint: bool) -> None:
        """Count one contact under every two of its values."""
        for pair in PAIRS:
            if pair[0] in values and pair[1] in values:
                cell = values[pair[0]], values[pair[1]]
                met = self.contacts[pair]
                if cell in met or len(met) < _MAX_CELLS:
                    met[cell] += 1
                    self.complaints[pair][cell] += complaint

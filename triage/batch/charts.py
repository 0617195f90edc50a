"""What was counted, as figures, charts and tables. How they look is the template's business."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from triage.batch.names import value_name
from triage.batch.tally import GROUPS, Labels, Tally
from triage.taxonomy import Head

LEVELS = 4
HEATS = 5
_GROUP_NAMES = dict(zip(GROUPS, ("渠道", "产品", "地区"), strict=True))
_MAX_GROUP_ROWS = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """One label of a chart. `share` is of all results; `level` grades ordered labels from 0 to `LEVELS`."""

    name: str
    count: int
    share: float
    level: int | None


@dataclass(frozen=True, slots=True)
class Chart:
    """The distribution of one head."""

    name: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A count in a table and the part of a whole that it is; `heat` grades the part from 0 to `HEATS`."""

    count: int
    share: float

    @property
    def heat(self) -> int:
        """0 only for nothing."""
        return ceil(self.share * HEATS)


@dataclass(frozen=True, slots=True)
class Table:
    """Counts in rows and columns. `hidden` rows were left out; `shares` are worth reading."""

    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    shares: bool = False
    hidden: int = 0


def headlines(tally: Tally) -> list[tuple[str, int, int]]:
    """Name, count and what it is a part of, for the figures at the top."""
    flags = [(zh, tally.flagged[name], tally.done) for name, zh in tally.flags.items()]
    return [
        ("联系总数", tally.contacts, tally.contacts),
        *flags,
        ("处理失败", tally.failed.total(), tally.contacts),
    ]


def charts(tally: Tally) -> list[Chart]:
    """One chart a head: labels in order; of a multi-label head by count and without the zeros."""
    return [Chart(labels.head.zh, tuple(_bars(labels, max(1, tally.done)))) for labels in tally.labels.values()]


def _bars(labels: Labels, whole: int) -> list[Bar]:
    by_count = labels.head.kind == "multi"
    codes = [code for code, _ in labels.counts.most_common()] if by_count else list(labels.names)
    levels = {code: level_of(labels.head, position, len(codes)) for position, code in enumerate(codes)}
    return [Bar(labels.names[code], labels.counts[code], labels.counts[code] / whole, levels[code]) for code in codes]


def level_of(head: Head, position: int, ranks: int) -> int | None:
    """How grave a place in an ordered head is, from 0 to `LEVELS`; None for other heads."""
    if head.kind != "ordered" or position < 0:
        return None
    return round(position / max(1, ranks - 1) * LEVELS)


def cross_table(tally: Tally) -> Table | None:
    """What it is about by how grave it is; None if nothing is to be crossed."""
    if not tally.crossed or not tally.cross:
        return None
    about, grave = (tally.labels[head.name] for head in tally.crossed)
    peak = max(tally.cross.values())
    rows = []
    for code, _ in about.counts.most_common():
        counts = [tally.cross[code, column] for column in grave.names]
        rows.append((about.names[code], tuple(Cell(count, count / peak) for count in counts)))
    return Table(f"{about.head.zh} × {grave.head.zh}", tuple(grave.names.values()), tuple(rows))


def group_tables(tally: Tally) -> list[Table]:
    """By channel, product and region, where anything is known of them."""
    known = {name: values for name, values in tally.groups.items() if set(values) - {"other"}}
    return [_group_table(_GROUP_NAMES[name], values, tally.flags) for name, values in known.items()]


def _group_table(title: str, values: Mapping[str, Counter[str]], flags: Mapping[str, str]) -> Table:
    """How many contacts each value has, and which part of them has each flag."""
    ranked = sorted(values.items(), key=lambda item: (-item[1]["contacts"], item[0]))
    rows = []
    for value, counts in ranked[:_MAX_GROUP_ROWS]:
        whole = counts["contacts"]
        cells = [Cell(whole, 0.0), *(Cell(counts[name], counts[name] / whole) for name in flags)]
        rows.append((value_name(value), tuple(cells)))
    columns = ("联系", *flags.values())
    return Table(title, columns, tuple(rows), shares=True, hidden=max(0, len(ranked) - _MAX_GROUP_ROWS))

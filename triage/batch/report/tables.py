"""The shapes that page and workbook share: tables of cells, charts of bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from triage.batch.tally import Counts, Labels
from triage.batch.top import level_of

HEATS = 5
_MARKS = {1: "▲", 0: "", -1: "▼"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in a table.

    `share` is the part of a whole that a count is; `heat` grades it from 0 to `HEATS`; `trend` is 1 or -1 where it is
    significantly high or low; `panel` names the excerpts that open behind it. `hidden` counts are too small to show.
    """

    value: int | float | str
    share: float | None = None
    heat: int = 0
    trend: int = 0
    panel: str = ""
    hidden: bool = False

    @property
    def text(self) -> str:
        """The value as the page shows it."""
        if self.hidden:
            return "＊"
        if isinstance(self.value, str):
            return self.value
        shown = f"{self.value:,}" if isinstance(self.value, int) else f"{self.value:,.1f}"
        return shown if self.value else "·"

    @property
    def mark(self) -> str:
        """▲ or ▼ where the value stands out."""
        return _MARKS[self.trend]


@dataclass(frozen=True, slots=True)
class Row:
    """A named row."""

    name: str
    cells: tuple[Cell, ...]
    panel: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells in rows and columns. `words`: the cells hold sentences, not counts."""

    title: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""
    words: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One label of a chart. `share` is of all results; `level` grades ordered labels; `before` is an earlier share."""

    name: str
    count: int
    share: float
    level: int | None
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """The distribution of one head. A full bar stands for the share `scale`."""

    name: str
    bars: tuple[Bar, ...]
    scale: float = 1.0


def heat(part: float) -> int:
    """A part of a whole, 0 to 1, as a grade; 0 only for nothing."""
    return min(HEATS, ceil(part * HEATS))


def percent(share: float) -> str:
    """A share as people write it: more digits where it is small."""
    return f"{share:.1%}" if share < 0.1 and share else f"{share:.0%}"


def charts(now: Counts, before: Counts | None) -> list[Chart]:
    """One chart a head: labels in order; of a multi-label head by count and without the zeros."""
    found = []
    for name, labels in now.labels.items():
        bars = tuple(_bars(labels, now.done, before.labels.get(name) if before else None, before))
        scale = max((bar.share for bar in bars), default=1.0) if labels.head.kind == "multi" else 1.0
        found.append(Chart(labels.head.zh, bars, scale or 1.0))
    return found


def _bars(labels: Labels, whole: int, earlier: Labels | None, before: Counts | None) -> Sequence[Bar]:
    by_count = labels.head.kind == "multi"
    codes = [code for code, _ in labels.counts.most_common()] if by_count else list(labels.names)
    bars = []
    for position, code in enumerate(codes):
        level = level_of(labels.head, position, len(codes))
        share = earlier.counts[code] / before.done if earlier and before and before.done else None
        bars.append(Bar(labels.names[code], labels.counts[code], labels.counts[code] / max(1, whole), level, share))
    return bars

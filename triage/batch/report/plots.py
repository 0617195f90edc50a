"""Lines and columns as coordinates. How they look is the template's business."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triage.batch.report.curve import TENTHS
from triage.batch.report.dimensions import CONTACTS
from triage.batch.report.tables import percent

WIDTH, HEIGHT = 600, 84
CURVE_HEIGHT = 120
_GAP = 0.2


@dataclass(frozen=True, slots=True)
class Mark:
    """A column or a dot, and what it stands for in words."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Plot:
    """One row of columns from 0 to `peak`, from the `first` step to the `last`."""

    name: str
    peak: str
    first: str
    last: str
    columns: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A named curve: its corners as SVG wants them, and a dot for each."""

    name: str
    points: str
    dots: tuple[Mark, ...]


def timeline(steps: Sequence[tuple[str, Counter[str]]], measures: Mapping[str, str]) -> list[Plot]:
    """How many contacts each step has, and which part of them has each measure; none for a single step."""
    if len(steps) < 2:
        return []
    names = [name for name, _ in steps]
    wholes = [counts[CONTACTS] for _, counts in steps]
    plots = [_columns("联系数", names, list(map(float, wholes)), [f"{whole:,}" for whole in wholes])]
    for measure, name in measures.items():
        shares = [counts[measure] / counts[CONTACTS] for _, counts in steps]
        texts = [f"{percent(share)}（{counts[measure]:,}）" for share, (_, counts) in zip(shares, steps, strict=True)]
        plots.append(_columns(f"{name}占比", names, shares, texts))
    return plots


def curve(name: str, values: Mapping[int, float], steps: int) -> Line:
    """A curve over `steps` places, 0 at the bottom and 1 at the top."""
    dots = []
    for place, value in values.items():
        x, y = WIDTH * (place + 0.5) / max(1, steps), CURVE_HEIGHT * (1 - value)
        dots.append(Mark(round(x, 1), round(y, 1), 0, 0, f"{value:.0%}"))
    return Line(name, " ".join(f"{dot.x},{dot.y}" for dot in dots), tuple(dots))


def mean_curve(name: str, values: Mapping[int, float]) -> Line:
    """The mean over conversations, by tenths."""
    return curve(name, values, TENTHS)


def _columns(name: str, names: Sequence[str], values: Sequence[float], texts: Sequence[str]) -> Plot:
    peak = max(values) or 1.0
    step = WIDTH / len(values)
    columns = []
    for place, (label, value, text) in enumerate(zip(names, values, texts, strict=True)):
        height = round(HEIGHT * value / peak, 1)
        x, width = round(step * (place + _GAP / 2), 1), round(step * (1 - _GAP), 1)
        columns.append(Mark(x, round(HEIGHT - height, 1), width, height, f"{label}：{text}"))
    return Plot(name, texts[values.index(max(values))], names[0], names[-1], tuple(columns))

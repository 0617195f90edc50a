"""What the terminal shows while files are scored and after: renderables for rich, and a progress bar."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from triage.batch.marked import printable
from triage.batch.preview import Preview, mapping_words
from triage.batch.tally import Tally

if TYPE_CHECKING:
    from triage.batch.shards import CaseTriager

_REDRAW_SECONDS = 0.1
_RATE_SECONDS = 30


class Counter:
    """A progress bar with rate and time left. Nothing is drawn where nobody looks: not a terminal, or not wanted."""

    def __init__(self, console: Console, visible: bool = True):
        self._progress = Progress(
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}% {task.fields[rows]:,} 条 {task.fields[rate]:,.0f} 条/秒 剩余"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not (visible and console.is_terminal),
        )
        self._task = self._progress.add_task("", total=1.0, rows=0, rate=0.0)
        self._drawn = 0.0
        self._seen: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, rows: int, fraction: float) -> None:
        """So many rows are done, and so much of the input has been read."""
        now = time.monotonic()
        if now - self._drawn >= _REDRAW_SECONDS:
            self._drawn = now
            self._progress.update(self._task, completed=fraction, rows=rows, rate=self._rate(now, rows))

    def _rate(self, now: float, rows: int) -> float:
        """Rows a second of late: what an earlier run had done passes quickly and says nothing of the time left."""
        self._seen.append((now, rows))
        while len(self._seen) > 2 and now - self._seen[0][0] > _RATE_SECONDS:
            self._seen.popleft()
        before, done = self._seen[0]
        return (rows - done) / max(now - before, _REDRAW_SECONDS)


def summary(tally: Tally, tier_head: str) -> RenderableType:
    """Counts of every label of tier and type, and of what needs a person."""
    table = Table(title="分诊结果", title_justify="left")
    table.add_column()
    table.add_column()
    table.add_column("条", justify="right")
    heads = dict.fromkeys((tier_head, "complaint_type"))
    for labels in (tally.labels[name] for name in heads if name in tally.labels):
        for position, (code, label) in enumerate(labels.names.items()):
            table.add_row(Text("" if position else labels.head.zh), Text(label), f"{labels.counts[code]:,}")
        table.add_section()
    table.add_row("需人工复核", "", f"{tally.flagged['review']:,}")
    table.add_row("处理失败", Text(" ".join(tally.failed)), f"{tally.failed.total():,}")
    table.add_row("联系总数", "", f"{tally.contacts:,}")
    return table


def previewed(found: Preview) -> RenderableType:
    """What `triage data check` shows of an input for scoring."""
    facts = [f"{found.source.path}: {found.form}; {found.cases:,} read, {found.failed:,} with errors (first rows)"]
    table = Table("field", "column", "examples", title_justify="left")
    for name, column in found.columns.items():
        table.add_row(name, Text(printable(column)), Text(" / ".join(found.examples[name])))
    if found.ignored:
        facts.append(f"not read: {', '.join(map(printable, found.ignored))}")
    if found.speakers:
        facts.append("speakers: " + ", ".join(f"{name} = {speaker}" for name, speaker in found.speakers.items()))
    if found.voices:
        facts.append("cases with words of: " + ", ".join(f"{who} {count:,}" for who, count in found.voices.items()))
    facts += [f"{printable(bad.id)}: {printable(bad.detail)}" for bad in found.failures]
    if found.columns:
        facts.append(f"to confirm: {printable(mapping_words(found.columns))}")
    return Group(*([table] if found.columns else []), *map(Text, facts))


def about(triager: CaseTriager) -> RenderableType:
    """What a triager is made of: its facts, heads and labels, and how well the model agreed when it was measured."""
    figures = triager.info.get("metrics", {})
    measured = figures.get("systems", {})
    facts = Table(box=None, show_header=False)
    shown = {name: fact for name, fact in triager.info.items() if not (measured and name == "metrics")}
    for name, value in _flat(shown):
        facts.add_row(Text(name, "bold"), Text(value))
    heads = Table(title=f"taxonomy {triager.taxonomy.id}", title_justify="left")
    for column in ("head", "名称", "kind", "labels"):
        heads.add_column(column)
    for head in triager.taxonomy.heads:
        labels = " ".join(f"{label.code} {label.zh}" for label in head.labels)
        heads.add_row(Text(head.name), Text(head.zh), head.kind, Text(labels))
    return Group(facts, heads, *([_agreement(measured, figures["split"])] if measured else []))


def _agreement(systems: dict[str, Any], split: str) -> Table:
    """Kappa (micro-F1 for multi-label heads) on a split, of the model and what it was measured beside."""
    figures = Table("head", *systems, title=f"{split}: kappa, or micro-F1", title_justify="left")
    for name in next(iter(systems.values())):
        cells = (systems[system][name] for system in systems)
        values = (cell.get("kappa", cell.get("micro_f1")) for cell in cells)
        figures.add_row(name, *("–" if value is None else f"{value:.2f}" for value in values))
    return figures


def _flat(facts: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested facts as dotted names."""
    rows: list[tuple[str, str]] = []
    for name, value in facts.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", f"{value:.4g}" if isinstance(value, float) else str(value)))
    return rows

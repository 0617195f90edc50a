"""The report as a workbook: the same tables, and the improvement list as a sheet to fill in. No cell is a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.datavalidation import DataValidation

from triage.batch.marked import printable
from triage.batch.report.content import Content
from triage.batch.report.improve import STEPS, Item
from triage.batch.report.queue import Entry
from triage.batch.report.tables import Chart, Table
from triage.batch.workbook import save

_SHARE = "0.0%"
_TITLE = re.compile(r"[\[\]:*?/\\]")
_HEADER = PatternFill("solid", fgColor="1F4E79")
_FILL_IN = PatternFill("solid", fgColor="FFF6D6")
_STATES = ("待办", "进行中", "已完成", "退回")
_MAX_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Marked:
    """A number that is shown with a mark behind it and stays a number to reckon with."""

    number: int | float
    mark: str

    @property
    def format(self) -> str:
        return f'{"#,##0" if isinstance(self.number, int) else "0.0"}"{self.mark}"'


Value = str | int | float | Marked | None


def write_workbook(path: Path, found: Content, queue: Iterable[Entry]) -> None:
    """Write the report to `path`, a sheet a table."""
    book = Workbook(write_only=True)
    headlines = [(one.name, one.count, _part(one.count, one.whole), one.before) for one in found.headlines]
    _sheet(
        book,
        "总览",
        ("指标", "数量", "占比", "对照"),
        [*headlines, *((*pair, None, None) for pair in found.origin)],
        {2, 3},
    )
    _sheet(book, "复核队列", *_queue(queue))
    _improvements(book, found.items)
    _sheet(book, "分布", ("类别", "标签", "数量", "占比", "对照占比"), _distribution(found.charts), {3, 4})
    tables = [found.grades, *(rise.table for rise in found.rises), found.lapses]
    tables += [table for pair in found.groups for table in pair]
    for table in filter(None, [*tables, *found.pairs]):
        _table(book, table)
    save(book, path)


def _part(count: int, whole: int) -> float | None:
    return count / whole if whole else None


def _distribution(charts: Sequence[Chart]) -> Iterator[tuple[Value, ...]]:
    for chart in charts:
        yield from ((chart.name, bar.name, bar.count, bar.share, bar.before) for bar in chart.bars)


def _queue(queue: Iterable[Entry]) -> tuple[tuple[str, ...], list[tuple[Value, ...]]]:
    rows: list[tuple[Value, ...]] = []
    for entry in queue:
        view = entry.view
        facts = "；".join(f"{name} {value}" for name, value in view.facts)
        why = "、".join((*entry.why, *view.review))
        rows.append(
            (
                entry.rank,
                view.id,
                round(entry.loss, 2),
                entry.grade.label,
                why,
                view.preview,
                facts,
                view.advice.owner,
                view.advice.time,
                None,
                None,
            )
        )
    return (
        "序",
        "编号",
        "预期损失",
        "等级",
        "为什么听",
        "原话（已遮盖）",
        "信息",
        "建议负责人",
        "响应时限",
        "复核结论",
        "复核人",
    ), rows


def _improvements(book: Workbook, items: Sequence[Item]) -> None:
    """The closed loop of five steps, each with who, by when and how it stands, for people to fill in."""
    known = ("问题点", "联系数", "须立即上报", "预期损失", "显著上升", "集中在", "典型案例", "建议负责人")
    to_fill = [f"{number} {step}·{what}" for number, step in enumerate(STEPS, 1) for what in ("负责人", "期限", "状态")]
    rows = [
        (
            item.issue,
            item.contacts,
            item.severe,
            round(item.loss, 1),
            "是" if item.rising else "",
            "、".join(item.places),
            "\n".join(f"{one.id}：{one.text}" for one in item.typical),
            item.owner,
            *("" for _ in to_fill),
        )
        for item in items
    ]
    sheet = _sheet(book, "改进清单", (*known, *to_fill), rows, filled=len(to_fill))
    if not rows:
        return
    choice = DataValidation("list", formula1=f'"{",".join(_STATES)}"', allow_blank=True)
    for place in range(len(STEPS)):
        column = get_column_letter(len(known) + 3 * place + 3)
        choice.add(f"{column}2:{column}{len(rows) + 1}")
    sheet.data_validations.append(choice)  # type: ignore[attr-defined] # the stubs lack it


def _table(book: Workbook, table: Table) -> None:
    """A table; a count with a share takes two columns."""
    shared = [any(row.cells[place].share is not None for row in table.rows) for place in range(len(table.columns))]
    header, shares = [table.corner], set()
    for column, has_share in zip(table.columns, shared, strict=True):
        header.append(column)
        if has_share:
            shares.add(len(header))
            header.append(f"{column}占比")
    rows = []
    for row in table.rows:
        cells: list[Value] = [row.name]
        for cell, has_share in zip(row.cells, shared, strict=True):
            marked = Marked(cell.value, cell.mark) if cell.trend and not isinstance(cell.value, str) else cell.value
            cells += [marked, *([cell.share] if has_share else [])]
        rows.append(cells)
    if table.note:
        rows.append([table.note])
    _sheet(book, table.title, header, rows, shares)


def _sheet(
    book: Workbook,
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Value]],
    shares: Iterable[int] = (),
    filled: int = 0,
) -> WriteOnlyWorksheet:
    """A sheet with a header; columns in `shares` are percentages, the last `filled` ones are to be filled in."""
    rows, shares = list(rows), set(shares)
    sheet: WriteOnlyWorksheet = book.create_sheet(_TITLE.sub(" ", title)[:31])
    sheet.freeze_panes = "B2"
    for place, name in enumerate(header):
        widest = max([len(name), *(len(str(row[place] or "")) for row in rows if place < len(row))])
        width = min(_MAX_WIDTH, 4 + 2 * min(widest, 28))
        sheet.column_dimensions[get_column_letter(place + 1)].width = width  # type: ignore[attr-defined] # stubs lack it
    sheet.append([_cell(sheet, name, fill=_HEADER, font=Font(bold=True, color="FFFFFF")) for name in header])
    for row in rows:
        cells = [
            _cell(sheet, value, _SHARE if place in shares and isinstance(value, float) and value <= 1 else None)
            for place, value in enumerate(row)
        ]
        for cell in cells[len(cells) - filled :] if filled else ():
            cell.fill = _FILL_IN
        sheet.append(cells)
    return sheet


def _cell(
    sheet: WriteOnlyWorksheet,
    value: Value,
    number_format: str | None = None,
    fill: PatternFill | None = None,
    font: Font | None = None,
) -> Cell:
    """A cell; text is a plain string whatever it begins with."""
    if isinstance(value, Marked):
        number_format, value = value.format, value.number
    cell: Cell = WriteOnlyCell(sheet, printable(value) if isinstance(value, str) else value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    if number_format:
        cell.number_format = number_format
    if fill:
        cell.fill = fill
    if font:
        cell.font = font
    return cell

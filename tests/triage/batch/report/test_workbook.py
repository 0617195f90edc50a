"""The workbook: the same figures, nothing that is reckoned, and a list to fill in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from openpyxl import load_workbook

from triage.batch.report.improve import STEPS
from triage.batch.tally import Outcome
from triage.case import Case


def test_no_cell_is_a_formula(
    see: Callable[..., Any], write: Callable[..., Path], hostile: Case, failure: Outcome
) -> None:
    tally, survey = see(*[hostile] * 6)
    tally.add(failure)
    path = write((tally, survey), "r.xlsx", smallest_group=1)
    cells = [cell for sheet in load_workbook(path) for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n"}
    assert any(str(cell.value).startswith("=1+1") for cell in cells)
    with ZipFile(path) as book:
        sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/")]
    assert not [
        data
        for data in sheets
        if b"<f>" in data or b"<f " in data or b"hyperlink" in data.lower().split(b"<sheetdata>")[0]
    ]


def test_improvement_list_has_five_steps_to_fill_in(
    see: Callable[..., Any], write: Callable[..., Path], quarter: list[Case]
) -> None:
    sheet = load_workbook(write(see(*quarter), "r.xlsx"))["改进清单"]
    header, first, *_ = sheet.values
    assert [step for step in STEPS if f"{STEPS.index(step) + 1} {step}·负责人" in header] == list(STEPS)
    known = dict(zip(header, first, strict=True))
    assert known["联系数"] >= 5
    assert known["典型案例"]
    assert all(not value for name, value in known.items() if "·" in name)
    (choice,) = sheet.data_validations.dataValidation
    assert "已完成" in choice.formula1


def test_counts_are_numbers_and_shares_percentages(
    see: Callable[..., Any], write: Callable[..., Path], quarter: list[Case]
) -> None:
    book = load_workbook(write(see(*quarter), "r.xlsx"))
    overview = {row[0].value: row for row in book["总览"].iter_rows()}
    assert overview["联系总数"][1].value == len(quarter)
    assert overview["投诉"][2].number_format == "0.0%"
    marked = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.number_format == '#,##0"▲"']
    assert marked
    assert all(isinstance(cell.value, int) for cell in marked)
    assert sum(row[2] for row in book["分布"].values if row[0] == "风险等级") == len(quarter)
    assert len(list(book["复核队列"].values)) == 51

"""Small groups are never named, and no hidden cell can be reckoned from its row or column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.batch.report.dimensions import Groups, Pairs, shown_value
from triage.batch.report.groups import group_table, hidden_cells, pair_tables
from triage.case import Case

MEASURES = {"complaints": "投诉"}


def _groups(**contacts: int) -> Groups:
    groups = Groups()
    for value, count in contacts.items():
        for number in range(count):
            groups.add(value, ["contacts", *(["complaints"] if number % 2 else [])], 1.5)
    return groups


def test_small_groups_are_merged() -> None:
    table = group_table("product", _groups(大=40, 中=12, 小=4, 微=3), MEASURES, 5, lambda *_: "")
    assert table is not None
    assert [(row.name, row.cells[0].value, row.cells[1].value) for row in table.rows] == [
        ("大", 40, 20),
        ("中", 12, 6),
        ("其余 2 项合计", 7, 3),
    ]
    assert table.rows[0].cells[-1].value == 1.5
    assert "不足 5 条" in table.note


def test_a_rest_that_is_small_is_not_shown() -> None:
    table = group_table("product", _groups(大=40, 小=4), MEASURES, 5, lambda *_: "")
    assert table is not None
    assert [row.name for row in table.rows] == ["大"]


def test_groups_that_stand_out_are_marked() -> None:
    groups = _groups(甲=200, 乙=200)
    for _ in range(100):
        groups.add("丙", ["contacts", "complaints"], 1.0)
    table = group_table("region", groups, MEASURES, 5, lambda *_: "")
    assert table is not None
    assert {row.name: row.cells[1].trend for row in table.rows} == {"甲": -1, "乙": -1, "丙": 1}


CELLS = st.dictionaries(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz")), st.integers(0, 12))


@given(CELLS)
def test_no_hidden_cell_stands_alone(counts: dict[tuple[str, str], int]) -> None:
    hidden = hidden_cells(counts, 5)
    assert {cell for cell, count in counts.items() if 0 < count < 5} <= hidden
    for side in (0, 1):
        for value in {cell[side] for cell in counts}:
            line = {cell for cell, count in counts.items() if cell[side] == value and count}
            assert len(line & hidden) != 1 or line <= hidden


def test_pairs_show_no_small_count() -> None:
    pairs = Pairs()
    for product, region, count in (("甲", "东", 30), ("甲", "西", 3), ("乙", "东", 20), ("乙", "西", 40)):
        for _ in range(count):
            pairs.add({"product": product, "region": region}, complaint=True)
    (table,) = pair_tables(pairs, 5)
    assert (table.title, table.columns) == ("产品 × 地区", ("东", "西"))
    shown = [cell.text for row in table.rows for cell in row.cells]
    assert "3" not in shown
    assert shown.count("＊") >= 2


def test_values_and_cells_stay_bounded(see: Callable[..., Any]) -> None:
    cases = [Case(text="谢谢", product=f"P{number}", agent_id=f"A{number}") for number in range(2100)]
    tally, survey = see(*cases, capacity=3)
    assert tally.done == 2100
    assert len(survey.groups["product"].counts) == 2000
    assert survey.groups["product"].total()["contacts"] == 2100
    assert len(survey.queue.ranked()) == 3
    assert len(survey.excerpts._kept) <= 4000


@pytest.mark.parametrize(
    ("value", "shown"),
    [("call", "电话"), ("客户13800138000", "客户[手机号]"), ("甲\n乙", "甲 乙"), ("长" * 60, "长" * 39 + "…")],
)
def test_values_as_headings(value: str, shown: str) -> None:
    assert shown_value(value) == shown

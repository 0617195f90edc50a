"""A customer, a story and near-duplicates stay on one side, whatever the order of the file."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from training.cases import LabelledCase, parse_record
from training.splits import read_split, with_splits
from triage.errors import InputError
from triage.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
TRADES = ["洗衣机漏水", "话费多扣", "快递丢件", "宽带断网", "航班延误", "会员退费", "外卖超时", "保险拒赔"]


def story(number: int) -> str:
    rng = random.Random(number)  # noqa: S311  # reproducible, not secret
    return f"{rng.choice(TRADES)}，" + "".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(40))


def records(rows: list[dict[str, Any]]) -> list[LabelledCase]:
    return [parse_record({"labels": {"complaint_type": "service"}, **row}, TAXONOMY) for row in rows]


def grouped() -> list[dict[str, Any]]:
    """60 customers of three unlike cases each, 30 stories in a pair, 30 near-duplicates."""
    rows = [
        {"id": f"c{i}-{j}", "text": story(10 * i + j), "customer_key": f"k{i}"} for i in range(60) for j in range(3)
    ]
    rows += [
        {"id": f"p{i}-{j}", "text": story(1_000 + 2 * i + j), "pair": f"p{i}"} for i in range(30) for j in range(2)
    ]
    return rows + [{"id": f"d{i}-{j}", "text": story(5_000 + i) + "啊" * j} for i in range(30) for j in range(2)]


def test_a_group_is_never_on_both_sides() -> None:
    sides: dict[str, set[str]] = {}
    for record in with_splits(records(grouped())):
        sides.setdefault(record.case.id.split("-")[0], set()).add(record.split)
    assert [group for group, splits in sides.items() if len(splits) > 1] == []
    assert set.union(*sides.values()) == {"train", "dev", "test"}


def test_order_changes_nothing() -> None:
    rows = grouped()
    one = {record.case.id: record.split for record in with_splits(records(rows))}
    other = {record.case.id: record.split for record in with_splits(records(rows[::-1]))}
    assert one == other


def test_more_cases_move_none_of_the_old_ones() -> None:
    rows = grouped()
    before = {record.case.id: record.split for record in with_splits(records(rows))}
    more = [{"id": f"n{i}", "text": story(9_000 + i)} for i in range(50)]
    after = {record.case.id: record.split for record in with_splits(records([*more, *rows]))}
    assert {name: after[name] for name in before} == before


def test_splits_of_the_file_are_kept_and_the_rest_is_for_training() -> None:
    rows = [{"id": "1", "text": story(1), "split": "dev"}, {"id": "2", "text": story(2)}]
    assert [record.split for record in with_splits(records(rows))] == ["dev", "train"]


def test_a_split_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    row = {"id": "1", "text": story(1), "split": "dev", "labels": {"complaint_type": "service"}}
    path.write_text(json.dumps(row, ensure_ascii=False), "utf-8")
    with pytest.raises(InputError, match=r"'test'; there are dev 1"):
        read_split([path], TAXONOMY, "test")

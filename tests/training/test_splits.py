"""A customer, a story and near-duplicates stay on one side, whatever the order of the file."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.cases import LabelledCase, parse_record
from training.splits import Splits, read_split, with_splits
from triage.errors import InputError
from triage.taxonomy import Taxonomy, load_taxonomy

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


OLD = st.fixed_dictionaries(
    {
        "text": st.sampled_from([story(number) + end for number in range(9) for end in ("", "啊")]),
        "customer_key": st.sampled_from([None, *"ABCDEF"]),
        "pair": st.sampled_from([None, None, *"pqr"]),
    }
)
KNOWN = st.tuples(st.sampled_from(["text", "customer_key", "pair"]), st.integers(0, 99))
UNKNOWN = st.tuples(st.just("new customer"), st.integers(0, 9))


@settings(deadline=None)
@given(st.lists(OLD, min_size=1), st.lists(KNOWN | UNKNOWN, min_size=1))
def test_more_cases_of_known_and_of_new_customers_move_none_of_the_old_ones(
    old: list[dict[str, Any]], more: list[tuple[str, int]]
) -> None:
    rows = [{"id": f"old{row}", **fields} for row, fields in enumerate(old)]
    added = [
        {"id": f"new{row}", "text": story(100 + row)}
        | ({"customer_key": f"new{which}"} if shared == "new customer" else {shared: old[which % len(old)][shared]})
        for row, (shared, which) in enumerate(more)
    ]
    before = {record.case.id: record.split for record in with_splits(records(rows))}
    after = {record.case.id: record.split for record in with_splits(records([*added, *rows]))}
    assert {name: after[name] for name in before} == before


MEMBERS: dict[str, Callable[[int, int], dict[str, Any]]] = {
    "contacts of a customer": lambda group, one: {"text": story(8 * group + one), "customer_key": f"k{group}"},
    "customers in a story": lambda group, one: {
        "text": story(8 * group + one),
        "customer_key": f"k{group}-{one}",
        "pair": f"p{group}",
    },
    "near-duplicates": lambda group, one: {"text": story(group) + "啊" * one},
}


@pytest.mark.parametrize("size", [1, 6])
@pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS)
def test_the_shares_of_groups_do_not_depend_on_their_size(
    member: Callable[[int, int], dict[str, Any]], size: int
) -> None:
    rows = [{"id": f"{group}-{one}", **member(group, one)} for group in range(500) for one in range(size)]
    sides = Counter({r.case.id.split("-")[0]: r.split for r in with_splits(records(rows))}.values())
    assert {side: count / 500 for side, count in sides.items()} == pytest.approx(
        {"train": 0.7, "dev": 0.15, "test": 0.15}, abs=0.05
    )


@pytest.mark.parametrize(
    ("named", "drawn"),
    [("train", {"train", "dev", "test"}), ("test", {"train", "dev"}), ("dev", {"train"})],
)
def test_a_split_of_the_file_is_kept_and_what_it_lacks_goes_by_hash(named: str, drawn: set[str]) -> None:
    own = {"id": "own", "text": story(99_999), "split": named}
    first, *others = with_splits(records([own, *grouped()]))
    assert first.split == named
    assert {record.split for record in others} == drawn


def test_a_group_has_the_strictest_split_that_is_named_in_it() -> None:
    rows = [
        {"id": "1", "text": story(1), "customer_key": "A", "split": "train"},
        {"id": "2", "text": story(2), "customer_key": "A", "pair": "p", "split": "test"},
        {"id": "3", "text": story(3), "customer_key": "B", "split": "dev"},
        {"id": "4", "text": story(4), "customer_key": "A"},
        {"id": "5", "text": story(5), "pair": "p"},
        {"id": "6", "text": story(3) + "啊"},
    ]
    assert [record.split for record in with_splits(records(rows))] == ["train", "test", "dev", "test", "test", "dev"]


HEADS = Taxonomy(name="t", version="1", heads=(TAXONOMY.head("complaint_type"), TAXONOMY.head("issues")))
BOTH = {"issues": ["attitude", "refund"]}
LACKING = [  # what the training cases and the dev case are labelled with, and what is said
    ([{"complaint_type": "service", **BOTH}], BOTH, r"complaint_type.*given {'service': 1} and 0 dev cases"),
    ([BOTH], {"complaint_type": "none"}, r"complaint_type.*given {} and 1 dev cases"),
    ([{"complaint_type": code} for code in ("none", "service")], {"complaint_type": "none"}, r"issues.*given {} and 0"),
]


@pytest.mark.parametrize(("train", "dev", "message"), LACKING)
def test_every_head_needs_two_labels_to_learn_and_a_dev_case(
    train: list[dict[str, Any]], dev: dict[str, Any], message: str
) -> None:
    rows = [{"split": "train", "labels": labels} for labels in train] + [{"split": "dev", "labels": dev}]
    splits = Splits.of([parse_record({"id": str(row), "text": "字", **one}, TAXONOMY) for row, one in enumerate(rows)])
    with pytest.raises(InputError, match=message):
        splits.check(HEADS)


def test_two_labels_and_a_dev_case_are_enough() -> None:
    rows = [(code, split) for code in ("none", "service") for split in ("train", "dev")]
    Splits.of(
        records(
            [
                {"id": "x", "text": "字", "split": split, "labels": {"complaint_type": code, **BOTH}}
                for code, split in rows
            ]
        )
    ).check(HEADS)


def test_a_split_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    row = {"id": "1", "text": story(1), "split": "dev", "labels": {"complaint_type": "service"}}
    path.write_text(json.dumps(row, ensure_ascii=False), "utf-8")
    with pytest.raises(InputError, match=r"'test'; there are dev 1"):
        read_split([path], TAXONOMY, "test")

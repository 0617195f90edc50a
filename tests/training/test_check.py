"""What `triage data check` must find: everything here is planted, and nothing else may be reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from training.cases import LabelledCase, Reading, parse_record, read_cases
from training.check import SAME_SOURCE, check
from training.data_commands import app
from training.similarity import Likeness, likeness
from training.splits import related
from training.suspicious import in_doubt
from triage.case import Case
from triage.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
STORY = "我在你们店里买的洗衣机用了两个月就漏水打了三次电话都说派师傅一直没人来"
OTHER = "请问公积金提取需要带什么材料到哪个窗口办理"


@pytest.fixture(scope="module")
def records(root: Path) -> list[LabelledCase]:
    return read_cases(sorted((root / "data" / "cases").glob("*.jsonl")), TAXONOMY)[::20]


def case(identifier: str, text: str, **more: Any) -> LabelledCase:
    return parse_record({"id": identifier, "text": text, "labels": {"risk_tier": 1}, **more}, TAXONOMY)


def looked_at(*records: LabelledCase) -> Any:
    return check(Reading(list(records)), TAXONOMY, judge_labels=False)


def test_near_duplicates_are_found_and_pairs_are_left_alone() -> None:
    found = likeness([case("a", STORY), case("b", STORY + "啊"), case("c", OTHER)])
    assert found.nearest[0].other == 1
    assert [(pair.record, pair.other) for pair in found.pairs] == [(0, 1)]
    told_twice = [case("d", OTHER + "呢", pair="p"), case("e", OTHER, pair="p")]
    assert likeness(told_twice) == Likeness([n for n in likeness(told_twice).nearest if n.similarity == 0], [])


def test_copies_without_end_make_few_pairs() -> None:
    found = likeness([case(str(row), "我要转人工客服") for row in range(200)])
    assert len(found.pairs) == 199
    assert all(one.similarity == 1 for one in found.nearest)


def test_texts_of_a_few_characters_are_like_nothing() -> None:
    assert likeness([case("a", "投诉"), case("b", "退钱")]).pairs == []


PLANTED: list[tuple[str, Callable[[LabelledCase], LabelledCase]]] = [
    ("customer", lambda one: replace(one, case=one.case.model_copy(update={"customer_key": "C-1", "id": "new"}))),
    ("pair", lambda one: replace(one, case=one.case.model_copy(update={"id": "new"}), extra={"pair": "P-1"})),
    ("id", lambda one: one),
    ("near-duplicate", lambda one: replace(one, case=one.case.model_copy(update={"id": "new", "text": STORY + "！"}))),
]


@pytest.mark.parametrize(("reason", "change"), PLANTED, ids=[reason for reason, _ in PLANTED])
def test_planted_leakage_is_found(
    records: list[LabelledCase], reason: str, change: Callable[[LabelledCase], LabelledCase]
) -> None:
    one = case("old", STORY, customer_key="C-1", pair="P-1", split="train")
    other = change(case("old", STORY if reason == "near-duplicate" else OTHER, split="dev"))
    (leak,) = looked_at(*records, one, other).leaks
    assert leak.reason == reason
    assert set(leak.ids) == {"old", other.case.id}
    assert leak.splits == ("dev", "train")
    assert looked_at(*records, one, replace(other, split="train")).leaks == []


def test_leakage_through_a_chain_of_near_duplicates() -> None:
    chain = [STORY, STORY + "你们到底管不管", STORY[12:] + "你们到底管不管"]
    sides = ("train", "dev", "test")
    (leak,) = looked_at(*(case(text, text, split=split) for text, split in zip(chain, sides, strict=True))).leaks
    assert leak.splits == ("dev", "test", "train")


def test_duplicates_say_whether_their_labels_differ() -> None:
    report = looked_at(case("a", STORY), case("b", STORY, labels={"risk_tier": 3}))
    assert [(pair["ids"], pair["labels_differ"]) for pair in report.duplicates] == [(["a", "b"], ["risk_tier"])]
    assert report.near_duplicates == []


def test_identifiers_are_counted_and_never_shown() -> None:
    report = looked_at(case("a", STORY + "我的手机13812345678"), case("b", OTHER))
    assert (report.identifiers, report.with_identifiers) == ({"mobile": 1}, ["a"])
    assert "13812345678" not in json.dumps(report.to_dict())


def test_related_cases_stay_in_one_fold() -> None:
    rows = [
        case("a", STORY, customer_key="C"),
        case("b", OTHER, customer_key="C"),
        case("c", OTHER + "呢"),
        case("d", "好"),
    ]
    groups = related(rows, likeness(rows), SAME_SOURCE.values()).tolist()
    assert groups[0] == groups[1] == groups[2] != groups[3]


def test_planted_label_errors_are_found() -> None:
    """Probabilities that are right about nine in ten true labels: planted errors stand out, true labels hardly do."""
    rng = np.random.default_rng(0)
    head = TAXONOMY.head("motive")
    truth = rng.integers(0, len(head.labels), 600)
    scores = np.full((len(truth), len(head.labels)), 0.1)
    believed = np.where(rng.random(len(truth)) < 0.9, truth, rng.integers(0, 4, len(truth)))
    scores[np.arange(len(truth)), believed] = 0.7
    planted = rng.random(len(truth)) < 0.1
    given = np.where(planted, (truth + 1) % 4, truth)
    rows = [LabelledCase(Case(id=str(row), text="好"), {"motive": head.codes[one]}) for row, one in enumerate(given)]
    found = {one.record for one in in_doubt(rows, TAXONOMY, {"motive": scores})}
    hits = found & set(np.flatnonzero(planted).tolist())
    assert len(hits) / planted.sum() > 0.8
    assert len(hits) / len(found) > 0.5


def test_a_missing_and_a_superfluous_issue_are_told_apart() -> None:
    codes = [["delay"]] * 30 + [["refund"]] * 30
    head = TAXONOMY.head("issues")
    scores = np.full((60, len(head.labels)), 0.01)
    for row, labels in enumerate(codes):
        scores[row, head.index(labels[0])] = 0.95
    codes[0], codes[59] = [], ["refund", "delay"]
    rows = [LabelledCase(Case(id=str(i), text="好"), {"issues": labels}) for i, labels in enumerate(codes)]
    found = {(one.record, one.suggested) for one in in_doubt(rows, TAXONOMY, {"issues": scores})}
    assert found == {(0, "+delay"), (59, "-delay")}


def test_the_command_lists_and_reports(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "text": STORY, "labels": {"risk_tier": 1}, "split": "train"},
        {"id": "b", "text": STORY + "啊", "labels": {"risk_tier": 3}, "split": "dev"},
        {"id": "c", "text": OTHER, "labels": {"risk_tier": 9}},
    ]
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    report = tmp_path / "report.json"
    run = CliRunner().invoke(app, ["check", str(path), "--report", str(report)])
    assert run.exit_code == 1
    assert "a b (across splits; labels differ: risk_tier)" in run.output
    assert "cases.jsonl:3: risk_tier: allowed are" in run.output
    assert "too few cases to judge labels" in run.output
    assert json.loads(report.read_text("utf-8"))["findings"] == {"problems": 1, "near_duplicates": 1, "leaks": 1}
    assert STORY not in report.read_text("utf-8") + run.output


EXPORTS = {
    "tasks.json": [{"id": 1, "data": {"text": STORY}, "annotations": []}],
    "doccano.jsonl": {"id": 1, "text": STORY, "label": ["风险等级:3"]},
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_of_an_annotation_tool_is_to_be_merged_first(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(json.dumps(EXPORTS[name]), "utf-8")
    run = CliRunner().invoke(app, ["check", str(tmp_path / name)])
    assert f"{name}: an export of an annotation tool; merge it first" in str(run.exception)


def test_the_cases_of_the_repository_are_unlike_each_other(root: Path) -> None:
    run = CliRunner().invoke(app, ["check", str(root / "data" / "cases"), "--no-labels"])
    assert "Labels were not judged." in run.output
    assert run.exit_code == 0, run.output

"""Looking at labelled cases: likeness, leakage, agreement, and changes that keep the meaning."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from training.cases import parse_record, read_cases
from training.data_commands import app
from training.perturbations import PERTURBATIONS, perturbed
from triage.case import Case
from triage.errors import InputError
from triage.normalise import normalise
from triage.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
LABELS = {"complaint_type": "service", "risk_tier": 1, "issues": ["delay"], "motive": None}
STORY = "我在你们店里买的洗衣机用了两个月就漏水打了三次电话都说派师傅一直没人来"


def row(identifier: str, text: str, **more: Any) -> dict[str, Any]:
    return {"id": identifier, "text": text, "labels": LABELS, "split": "train", **more}


def test_an_unknown_label_is_unknown_and_a_foreign_head_is_left_out() -> None:
    record = parse_record({"id": "1", "text": STORY, "labels": {**LABELS, "mood": "bad"}}, TAXONOMY)
    assert record.labels == {"complaint_type": "service", "risk_tier": 1, "issues": ["delay"]}


WRONG = [
    ("half a line", '{"id": "1", "text": "投', "1: "),
    ("no such label", json.dumps(row("1", STORY, labels={"motive": "money"})), "motive: allowed are"),
    ("no text", json.dumps({"id": "1", "labels": {}}), "either text or turns"),
]


@pytest.mark.parametrize(("line", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_record_is_named_by_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(line, "utf-8")
    with pytest.raises(InputError, match=r"cases\.jsonl:1") as caught:
        read_cases([path], TAXONOMY)
    assert message in str(caught.value)


def test_the_second_pass_agrees(root: Path) -> None:
    run = CliRunner().invoke(app, ["agreement", str(root / "data" / "cases"), str(root / "data" / "second_pass.jsonl")])
    heads = run.output.split("\n\n")[1].splitlines()
    figures = {line.split("|")[1].strip(): line.split("|")[3].strip() for line in heads[2:]}
    card = (root / "data" / "README.md").read_text("utf-8")
    assert list(figures) == [head.name for head in TAXONOMY.heads]
    assert all(f"| {head} | {figure} |" in card for head, figure in figures.items())


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_a_change_keeps_the_agent_and_most_of_the_words(name: str) -> None:
    turns = [{"speaker": "agent", "text": "您好，请讲"}, {"speaker": "customer", "text": f"我姓王，在杭州，{STORY}。"}]
    case = Case.read({"turns": turns})
    changed = perturbed(case, PERTURBATIONS[name], random.Random(1))  # noqa: S311
    assert changed.turns is not None
    assert changed.turns[0].text == "您好，请讲"
    kept = set(normalise(changed.turns[1].text).text) & set(normalise(turns[1]["text"]).text)
    assert len(kept) > 0.8 * len(set(normalise(turns[1]["text"]).text))

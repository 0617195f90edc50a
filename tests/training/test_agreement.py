"""Agreement against published and hand-made values, and which cases are worth talking about."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from training.agreement import agreement, alpha, read_passes
from training.agreement_tables import as_markdown
from training.data_commands import app
from triage.errors import InputError
from triage.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
# Krippendorff (2011), section C: four observers, twelve units, values 1 to 5, "." is missing.
OBSERVERS = ("1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 .")
UNITS = [[int(v) - 1 for v in unit if v != "."] for unit in zip(*(row.split() for row in OBSERVERS), strict=True)]
PAIRABLE = [unit for unit in UNITS if len(unit) > 1]
PLACE = np.arange(5.0)
PUBLISHED = [
    ("nominal", (PLACE[:, None] != PLACE).astype(float), 0.743),
    ("interval", (PLACE[:, None] - PLACE) ** 2, 0.849),
]


@pytest.mark.parametrize(("distance", "value"), [p[1:] for p in PUBLISHED], ids=[p[0] for p in PUBLISHED])
def test_alpha_is_the_published_value(distance: np.ndarray, value: float) -> None:
    assert alpha(PAIRABLE, distance) == pytest.approx(value, abs=0.0005)


def test_alpha_when_nothing_varies_and_without_units() -> None:
    assert alpha([[0, 0], [0, 0, 0]], np.ones((1, 1)) - np.eye(1)) == 1
    assert math.isnan(alpha([], np.zeros((2, 2))))


def test_three_annotators_and_missing_labels() -> None:
    one = {"a": {"motive": "none"}, "b": {"motive": "venting"}, "c": {"motive": "respect"}, "d": {"motive": "none"}}
    passes = {"x": one, "y": one, "z": {**one, "a": {"motive": "respect"}, "d": {}}}
    found = agreement(TAXONOMY, passes).heads["motive"]
    assert found.cases == 4
    assert found.same == 0.75
    assert found.labels["venting"] == (6, 1.0)
    assert found.labels["none"] == (4 + 2, pytest.approx(4 / 6))
    assert found.agreement == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert "risk_tier" not in agreement(TAXONOMY, passes).heads


def test_weights_forgive_neighbours() -> None:
    one = {str(i): {"risk_tier": i % 5} for i in range(20)}
    near = {**one, "4": {"risk_tier": 3}}
    far = {**one, "4": {"risk_tier": 0}}
    mild, bad = (agreement(TAXONOMY, {"x": one, "y": other}).heads["risk_tier"] for other in (near, far))
    assert mild.agreement > bad.agreement
    assert mild.alpha > bad.alpha
    assert mild.unweighted == pytest.approx(bad.unweighted, abs=0.01)


def test_sets_of_issues_agree_in_part() -> None:
    one = {"a": {"issues": ["delay", "refund"]}, "b": {"issues": []}, "c": {"issues": ["terms"]}}
    other = {"a": {"issues": ["refund"]}, "b": {"issues": []}, "c": {"issues": ["terms"]}}
    found = agreement(TAXONOMY, {"x": one, "y": other})
    assert found.heads["issues"].agreement == pytest.approx(0.8)
    assert 0 < found.heads["issues"].alpha < 1
    assert [(d.id, d.severity) for d in found.discuss] == [("a", 0.5)]


def test_what_nobody_labelled_and_what_nobody_doubted_have_no_agreement() -> None:
    same = {case: {"issues": [], "motive": "none"} for case in "abcdef"}
    passes = {"x": same, "y": same, "z": {**same, "a": {"issues": ["delay"], "motive": "venting"}}}
    both = agreement(TAXONOMY, {name: passes[name] for name in "xy"})
    for head in ("issues", "motive"):
        assert math.isnan(both.heads[head].agreement)
        assert both.heads[head].same == 1
    assert math.isnan(both.heads["motive"].unweighted)
    assert "| issues | 6 | – | – |" in as_markdown(both)
    three = agreement(TAXONOMY, passes)
    assert (three.heads["issues"].agreement, three.heads["motive"].agreement) == (0, 0)


def test_the_worst_disputes_come_first() -> None:
    one = {case: {"risk_tier": 0, "emotion": "calm", "motive": "none"} for case in "abcd"}
    other = {
        "a": {"risk_tier": 1, "emotion": "calm", "motive": "none"},
        "b": {"risk_tier": 4, "emotion": "furious", "motive": "none"},
        "c": one["c"],
        "d": {"risk_tier": 4, "emotion": "calm", "motive": "none"},
    }
    discuss = agreement(TAXONOMY, {"x": one, "y": other}).discuss
    assert [(d.id, d.severity) for d in discuss] == [("b", 2.0), ("d", 1.0), ("a", 0.25)]
    assert discuss[0].heads == {"risk_tier": {"x": 0, "y": 4}, "emotion": {"x": "calm", "y": "furious"}}


def test_annotators_in_a_column(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,标注人,风险等级,问题点\n1,甲,3,响应慢\n1,乙,重大危机,delay\n2,甲,0,无\n2,乙,4,\n", "utf-8")
    passes = read_passes([path], TAXONOMY)
    assert passes["甲"] == {"1": {"risk_tier": 3, "issues": ["delay"]}, "2": {"risk_tier": 0, "issues": []}}
    report = tmp_path / "report.json"
    run = CliRunner().invoke(app, ["agreement", str(path), "--report", str(report)])
    assert run.exit_code == 0, run.output
    assert "2 (1.00): risk_tier 0 / 4" in run.output
    written = json.loads(report.read_text("utf-8"))
    assert [one["id"] for one in written["discuss"]] == ["2"]
    assert written["heads"]["issues"]["unweighted"] is None


WRONG = [
    ("one annotator", "id,标注人,风险等级\n1,甲,3\n", "two passes or a column"),
    ("twice", "id,标注人,风险等级\n1,甲,3\n1,甲,2\n1,乙,2\n", r"labels\.csv:3: 甲 has labelled 1 before"),
    ("no label of ours", "id,标注人,风险等级\n1,甲,七\n", r"labels\.csv:2: risk_tier: allowed are"),
]


@pytest.mark.parametrize(("content", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_passes_that_cannot_be_compared(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=message):
        read_passes([path], TAXONOMY)

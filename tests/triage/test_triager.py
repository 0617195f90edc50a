"""The whole pipeline with the shipped model."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from triage.batch.console import about
from triage.batch.marked import mask_result
from triage.case import Case
from triage.errors import InputError, StageError
from triage.normalise import normalise
from triage.result import HeadResult, RowError, TriageResult
from triage.triager import Triager

ROOT = Path(__file__).parent.parent.parent
SAMPLES = [
    json.loads(line)
    for name in ("tickets", "calls")
    for line in (ROOT / "data" / "samples" / f"{name}.jsonl").read_text("utf-8").splitlines()
]


@pytest.fixture(scope="module")
def results(shipped: Triager) -> list[tuple[Case, TriageResult]]:
    cases = [Case.model_validate(row) for row in SAMPLES]
    answers = list(shipped.pipe(cases))
    assert not [one for one in answers if isinstance(one, RowError)]
    return [(case, one) for case, one in zip(cases, answers, strict=True) if isinstance(one, TriageResult)]


def words(case: Case, turn: int) -> str:
    return case.turns[turn].text if case.turns is not None else case.text or ""


def test_samples_are_what_the_readme_promises() -> None:
    calls = [row for row in SAMPLES if row["channel"] == "call"]
    assert len(SAMPLES) - len(calls) >= 40
    assert len(calls) >= 16
    assert all(8 <= len(row["turns"]) <= 30 for row in calls)


def test_every_label_value_is_among_the_samples(shipped: Triager) -> None:
    lines = (ROOT / "data" / "sample_labels.jsonl").read_text("utf-8").splitlines()
    given = [json.loads(line)["labels"] for line in lines]
    for head in shipped.taxonomy.heads:
        values = [row[head.name] for row in given]
        found = {str(code) for value in values for code in (value if head.kind == "multi" else [value])}
        assert found == set(map(str, head.codes)), head.name


def test_scores_sum_to_one_and_the_label_has_its_own(results: list[tuple[Case, TriageResult]]) -> None:
    for _, result in results:
        for answer in result.heads.values():
            if isinstance(answer, HeadResult):
                assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-6)
                assert answer.score == pytest.approx(answer.scores[str(answer.label)])


def test_spans_point_into_the_original_text(results: list[tuple[Case, TriageResult]]) -> None:
    checked = 0
    for case, result in results:
        for one in result.evidence:
            original = words(case, one.turn)[one.start : one.end]
            if "[" not in one.text:
                assert normalise(original).text.replace(" ", "") == one.text.replace(" ", "")
                checked += 1
    assert checked > 100


def test_the_curve_has_a_point_for_every_utterance(results: list[tuple[Case, TriageResult]]) -> None:
    for case, result in results:
        assert [point["turn"] for point in result.turns] == [said.turn for said in case.utterances()]
        assert all(0 <= point["dissatisfaction"] <= 1 for point in result.turns)


def test_no_identifier_leaves_with_the_evidence(results: list[tuple[Case, TriageResult]]) -> None:
    for case, result in results:
        text = json.dumps(mask_result(case, result).to_dict(), ensure_ascii=False)
        assert "13800138000" not in text
        assert not [word for word in ("@example.com",) if word in text]


def test_disguises_do_not_change_the_answer(shipped: Triager) -> None:
    plain = "我要投诉,打了三次电话都没人处理,再不解决我就打12315"
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in plain)
    expected = labels(shipped(plain))
    assert labels(shipped(wide)) == expected
    assert labels(shipped("\u200b".join(plain))) == expected
    assert labels(shipped("我要投訴,打了三次電話都沒人處理,再不解決我就打12315")) == expected


def labels(result: TriageResult) -> dict[str, Any]:
    return {name: answer.label for name, answer in result.heads.items() if isinstance(answer, HeadResult)}


def test_an_agent_naming_the_regulator_is_no_threat(shipped: Triager) -> None:
    turns = [
        {"speaker": "customer", "text": "你好我想问一下怎么查话费"},
        {"speaker": "agent", "text": "发短信就可以查如果对服务不满意您也可以拨打12300申诉"},
        {"speaker": "customer", "text": "哦好的知道了谢谢"},
    ]
    result = shipped(Case.model_validate({"turns": turns}))
    assert result.risk_tier.label == 0
    assert "regulator_threat" not in {one.kind for one in result.evidence}


def test_a_failing_stage_is_named_and_the_text_is_not(shipped: Triager, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ValueError("投诉")

    monkeypatch.setattr(shipped, "_finder", broken)
    with pytest.raises(StageError, match="stage 'signals' failed: ValueError") as caught:
        shipped("投诉")
    assert "投诉" not in str(caught.value)
    good, bad = Case.from_text("好的"), Case.from_text("投诉")
    assert all(isinstance(one, RowError) and one.code == "stage_failed" for one in shipped.pipe([good, bad]))


def test_one_case_that_the_network_cannot_take_fails_alone(shipped: Triager, monkeypatch: pytest.MonkeyPatch) -> None:
    classify = shipped._classifier

    def touchy(encoded: Any, lexical: Any) -> Any:
        if any(len(one.tokens) > 40 for one in encoded):
            raise RuntimeError
        return classify(encoded, lexical)

    monkeypatch.setattr(shipped, "_classifier", touchy)
    cases = [Case.model_validate({"id": str(i), "text": text}) for i, text in enumerate(["好的", "投诉," * 60, "谢谢"])]
    first, bad, last = shipped.pipe(cases)
    assert isinstance(first, TriageResult)
    assert isinstance(last, TriageResult)
    assert isinstance(bad, RowError)
    assert (bad.id, bad.detail) == ("1", "stage 'classify' failed: RuntimeError")


@pytest.mark.parametrize("text", ["", " \n", "\0"])
def test_nothing_to_read(shipped: Triager, text: str) -> None:
    with pytest.raises(InputError, match="empty"):
        shipped(text)


@pytest.mark.parametrize("text", ["。", "😡", "a", "[手机号]", "𠮷", "投" * 3000, "1" * 500])
def test_odd_texts_get_an_answer(shipped: Triager, text: str) -> None:
    assert shipped(text).risk_tier.label in range(5)


def test_explain_imports_neither_torch_nor_transformers() -> None:
    program = (
        "import sys; sys.argv = ['triage', 'explain', '行吧,随便你们']\n"
        "from triage.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'datasets', 'pandas'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    assert "HEAVY []" in run.stdout


def test_info_shows_the_figures_head_by_head(shipped: Triager) -> None:
    console = Console(width=100, record=True, file=StringIO())
    console.print(about(shipped))
    text = console.export_text()
    figures = shipped.info["metrics"]["systems"]
    for head in shipped.taxonomy.heads:
        cells = [f"{one[head.name].get('kappa', one[head.name].get('micro_f1')):.2f}" for one in figures.values()]
        rows = [line for line in text.splitlines() if head.name in line]
        assert any(all(cell in row for cell in cells) for row in rows), head.name

"""Differences that were planted are found, and those that were not are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from training.cases import LabelledCase, parse_record
from training.compare import compare
from training.compare_models import check_same_labels
from training.compare_tables import plain
from training.evaluate import Answers, review_figures
from training.metrics import kappa_of_positions
from training.misses import severe_misses
from training.verdict import judge, safety_losses, signed
from triage.errors import InputError
from triage.policy import load_policy
from triage.taxonomy import load_taxonomy

TAXONOMY, POLICY = load_taxonomy(), load_policy()
SIZE = 300


def words(rng: np.random.Generator) -> str:
    """Characters at random: no two are near-duplicates."""
    return "".join(map(chr, rng.integers(0x4E00, 0x9FA5, 40)))


def records() -> list[LabelledCase]:
    """Every fourth case is severe, tiers 3 and 4 by turns; every tenth has no motive."""
    rng = np.random.default_rng(0)
    found = []
    for row in range(SIZE):
        labels: dict[str, Any] = {
            "risk_tier": 3 + row % 8 // 4 if row % 4 == 0 else int(rng.integers(0, 3)),
            "complaint_type": ["none", "service", "product"][row % 3],
            "motive": None if row % 10 == 0 else ["none", "respect"][row % 2],
            "issues": ["delay"] if row % 2 else ["refund", "quality"],
        }
        text = f"我的手机号是13812345678<b>|了{words(rng)}"
        found.append(parse_record({"id": f"r{row}", "text": text, "labels": labels, "channel": "chat"}, TAXONOMY))
    return found


def answers(cases: list[LabelledCase], wrong: dict[str, float], confidence: float = 0.9, seed: int = 1) -> Answers:
    """The right answers, but for a share of every head named in `wrong`, which gets the head's first label."""
    rng = np.random.default_rng(seed)
    labels = {}
    for head in TAXONOMY.heads:
        first: Any = [] if head.kind == "multi" else head.codes[0]
        lost = rng.random(len(cases)) < wrong.get(head.name, 0)
        labels[head.name] = [
            first if gone else c.labels.get(head.name, first) for c, gone in zip(cases, lost, strict=True)
        ]
    return Answers(labels, {head.name: np.full(len(cases), confidence) for head in TAXONOMY.heads})


CASES = records()
GOOD = answers(CASES, {})
VERDICTS = [
    ("the same model", GOOD, GOOD, 0.0, False, "not shown to differ"),
    ("the same model, a gain asked for", GOOD, GOOD, 0.01, False, "not shown to differ"),
    ("many types lost", GOOD, answers(CASES, {"complaint_type": 0.3}), 0.0, False, "worse"),
    ("many types won", answers(CASES, {"complaint_type": 0.3}), GOOD, 0.0, True, "better"),
    ("won, but less than asked for", answers(CASES, {"complaint_type": 0.1}), GOOD, 0.2, False, "better"),
    ("a loss that is accepted", GOOD, answers(CASES, {"complaint_type": 0.01}), -0.05, True, "not shown to differ"),
]


@pytest.mark.parametrize(
    ("a", "b", "margin", "meets", "outcome"), [v[1:] for v in VERDICTS], ids=[v[0] for v in VERDICTS]
)
def test_verdict(a: Answers, b: Answers, margin: float, meets: bool, outcome: str) -> None:
    verdict = judge(compare(TAXONOMY, POLICY, CASES, a, b), margin)
    assert (verdict.meets_margin, verdict.outcome) == (meets, outcome)


def test_a_gain_elsewhere_does_not_pay_for_severe_cases() -> None:
    a, b = answers(CASES, {"motive": 0.4, "complaint_type": 0.4}), answers(CASES, {"risk_tier": 0.15})
    found = compare(TAXONOMY, POLICY, CASES, a, b)
    assert judge(found).outcome == "better"
    assert not judge(found).meets_margin
    assert any("severe recall" in loss for loss in judge(found).losses)


def test_one_severe_case_fewer_is_a_loss_of_safety_and_so_is_calibration() -> None:
    labels = {name: list(values) for name, values in GOOD.labels.items()}
    labels["risk_tier"][0] = 0
    assert any(
        "severe recall" in loss
        for loss in safety_losses(compare(TAXONOMY, POLICY, CASES, GOOD, Answers(labels, GOOD.confidence)))
    )
    unsure = answers(CASES, {}, confidence=0.6)
    assert any("calibration" in loss for loss in safety_losses(compare(TAXONOMY, POLICY, CASES, GOOD, unsure)))
    assert safety_losses(compare(TAXONOMY, POLICY, CASES, unsure, GOOD)) == ()


def test_mcnemar_counts_each_side_and_unknown_labels_do_not_count() -> None:
    labels = {name: list(values) for name, values in GOOD.labels.items()}
    labels["motive"] = ["venting"] * SIZE
    found = compare(TAXONOMY, POLICY, CASES, GOOD, Answers(labels, GOOD.confidence))
    known = SIZE - SIZE // 10
    assert (found.mcnemar["motive"].only_a, found.mcnemar["motive"].only_b) == (known, 0)
    assert found.mcnemar["motive"].p < 1e-6
    assert found.heads["motive"].cases == known
    assert found.mcnemar["complaint_type"].p == 1.0


def test_intervals_hold_the_gain_and_swap_with_the_sides() -> None:
    poor = answers(CASES, {"complaint_type": 0.2, "issues": 0.2})
    there, back = compare(TAXONOMY, POLICY, CASES, GOOD, poor), compare(TAXONOMY, POLICY, CASES, poor, GOOD)
    for name, gain in there.heads.items():
        turned = back.heads[name]
        assert gain.low is not None
        assert gain.high is not None
        assert gain.low - 1e-9 <= gain.gain <= gain.high + 1e-9
        assert turned.gain == pytest.approx(-gain.gain)
        assert turned.low == pytest.approx(-gain.high, abs=1e-9)


def test_cases_that_are_their_own_groups_have_the_interval_of_a_plain_bootstrap() -> None:
    head = TAXONOMY.head("complaint_type")
    cases = [replace(case, labels={head.name: case.labels[head.name]}) for case in CASES]
    a, b = answers(cases, {head.name: 0.3}, seed=1), answers(cases, {head.name: 0.2}, seed=2)
    wanted, *given = (
        np.array([head.index(code) for code in codes])
        for codes in ([case.labels[head.name] for case in cases], a.labels[head.name], b.labels[head.name])
    )
    gains = []
    for rows in np.random.default_rng(1).choice(SIZE, (1_000, SIZE)):
        of_a, of_b = (kappa_of_positions(head, wanted[rows], one[rows]) for one in given)
        gains.append(of_b - of_a)
    found = compare(TAXONOMY, POLICY, cases, a, b).mean
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(gains, [2.5, 97.5])), abs=0.01)


def of_customers(cases: list[LabelledCase], customers: int) -> list[LabelledCase]:
    """The cases, each given to one of the customers by turns."""
    return [
        replace(one, case=one.case.model_copy(update={"customer_key": str(row % customers)}))
        for row, one in enumerate(cases)
    ]


def thrice(given: Answers) -> Answers:
    """The answers to the same cases three times over."""
    return Answers(
        {name: [*labels] * 3 for name, labels in given.labels.items()},
        {name: np.tile(confidence, 3) for name, confidence in given.confidence.items()},
    )


def test_more_cases_of_the_same_fate_make_nothing_surer() -> None:
    poor = answers(CASES, {"complaint_type": 0.1, "issues": 0.1})
    once = compare(TAXONOMY, POLICY, CASES, GOOD, poor)
    more = compare(TAXONOMY, POLICY, of_customers(CASES * 3, SIZE), thrice(GOOD), thrice(poor))
    assert (more.mean.low, more.mean.high) == pytest.approx((once.mean.low, once.mean.high))
    assert more.mcnemar["issues"].p < once.mcnemar["issues"].p


def test_groups_that_behave_alike_rarely_make_equal_models_differ() -> None:
    """15 customers of five cases: a model has all cases of a customer right, or none."""
    head, rng = "complaint_type", np.random.default_rng(0)
    cases = of_customers([replace(case, labels={head: case.labels[head]}) for case in CASES[:75]], 15)
    right = answers(cases, {})

    def one_model() -> Answers:
        lost = np.tile(rng.random(15) < 0.3, 5)
        given = ["other" if gone else code for gone, code in zip(lost, right.labels[head], strict=True)]
        return Answers({**right.labels, head: given}, right.confidence)

    outcomes = [judge(compare(TAXONOMY, POLICY, cases, one_model(), one_model())).outcome for _ in range(20)]
    assert outcomes.count("not shown to differ") >= 17


def test_five_customers_are_too_few_for_an_interval() -> None:
    found = compare(TAXONOMY, POLICY, of_customers(CASES, 5), answers(CASES, {"complaint_type": 0.5}), GOOD)
    assert found.mean.gain > 0.01
    assert (found.mean.low, found.mean.high) == (None, None)
    assert judge(found).outcome == "not shown to differ"


def test_a_head_that_one_model_has_no_agreement_on_counts_for_neither() -> None:
    """All cases have one type: kappa knows nothing of the model that always gives it, and 0 of one that errs."""
    cases = [replace(case, labels={**case.labels, "complaint_type": "service"}) for case in CASES]
    right, wrong = answers(cases, {"issues": 0.1}), answers(cases, {"issues": 0.1, "complaint_type": 0.3})
    wrong.labels["issues"] = right.labels["issues"]
    found = compare(TAXONOMY, POLICY, cases, right, wrong)
    assert (found.heads["complaint_type"].a, found.heads["complaint_type"].b) == (None, 0)
    assert (found.mean.gain, found.mean.low, found.mean.high) == (0, 0, 0)
    assert found.mean.a == pytest.approx(np.mean([1, 1, found.heads["issues"].a]))


def test_where_nothing_can_be_told_nothing_is() -> None:
    cases = [replace(case, labels={"complaint_type": "service", "issues": []}) for case in CASES]
    right = answers(cases, {})
    found = compare(TAXONOMY, POLICY, cases, right, right)
    assert (found.mean.a, found.mean.low, found.heads["issues"].a) == (None, None, None)
    assert judge(found, -1).outcome == "not shown to differ"
    assert not judge(found, -1).meets_margin
    assert signed(found.mean.gain) == "–"


def test_the_slice_that_loses_is_named() -> None:
    labels = {name: list(values) for name, values in GOOD.labels.items()}
    labels["complaint_type"] = ["other"] * SIZE
    found = compare(TAXONOMY, POLICY, CASES, GOOD, Answers(labels, GOOD.confidence))
    assert found.slices["channel: chat", "complaint_type"].gain == pytest.approx(-1)


@pytest.mark.parametrize(("severe", "surely"), [(1, False), (40, True)])
def test_a_single_severe_case_is_no_proof(severe: int, surely: bool) -> None:
    rng = np.random.default_rng(1)
    cases = [
        parse_record({"id": str(row), "text": words(rng), "labels": {"risk_tier": 3 if row < severe else 1}}, TAXONOMY)
        for row in range(200)
    ]
    right = [str(case.labels["risk_tier"]) for case in cases]
    missed = ["1"] * len(right)
    a, b = (Answers({"risk_tier": given}, {"risk_tier": np.full(200, 0.9)}) for given in (right, missed))
    recall = compare(TAXONOMY, POLICY, cases, a, b).severe["recall"]
    assert (recall.cases, recall.a, recall.b, recall.low == -1.0) == (severe, 1.0, 0.0, surely)


def test_severe_misses_are_masked_and_new_ones_come_first() -> None:
    a, b = ({name: list(values) for name, values in GOOD.labels.items()} for _ in range(2))
    a["risk_tier"][4], b["risk_tier"][8] = 1, 1
    misses = severe_misses(POLICY, CASES, Answers(a, GOOD.confidence), Answers(b, GOOD.confidence))
    assert [miss.id for miss in misses] == ["r8", "r4"]
    assert all("13812345678" not in miss.text and "[手机号]" in miss.text for miss in misses)


def test_nothing_of_a_customer_is_markup() -> None:
    assert plain("<b>|[x](y)`") == r"\<b\>\|\[x\]\(y\)\`"


def test_other_labels_are_not_compared() -> None:
    other = TAXONOMY.model_copy(update={"heads": TAXONOMY.heads[1:]})
    with pytest.raises(InputError, match="differ in complaint_type"):
        check_same_labels(TAXONOMY, other)


@pytest.mark.parametrize(("sent", "seen"), [("nobody", 0.5), ("the severe ones", 1.0), ("the others", 0.5)])
def test_a_severe_case_is_seen_if_it_is_called_so_or_sent_to_a_person(sent: str, seen: float) -> None:
    severe = np.array([case.labels["risk_tier"] >= 3 for case in CASES])
    half = [case.labels["risk_tier"] if row % 8 else 0 for row, case in enumerate(CASES)]
    reviewed = {"nobody": None, "the severe ones": severe, "the others": ~severe}[sent]
    found = review_figures(POLICY, CASES, Answers({**GOOD.labels, "risk_tier": half}, GOOD.confidence, reviewed))
    assert found["severe_seen"] == pytest.approx(seen, abs=0.01)
    assert found["reviewed"] == (0 if reviewed is None else reviewed.mean())

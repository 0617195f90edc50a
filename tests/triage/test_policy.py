"""Decisions: floors, consistency, grades, advice, abstention. No model: scores are given."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from triage.case import Case
from triage.errors import SettingsError
from triage.policy import Defaults, Policy, decide, load_policy
from triage.policy.consistency import contradiction
from triage.result import HeadResult
from triage.signals import Signal
from triage.taxonomy import Taxonomy, load_taxonomy

TAXONOMY = load_taxonomy()
POLICY = load_policy()
PLAIN = Defaults({}, {})
COMPLAINT = {
    "complaint_type": "service", "risk_tier": 1, "motive": "respect", "dissatisfaction": "explicit",
    "escalation": "medium", "emotion": "upset", "contact_class": "regular",
}  # fmt: skip
NOTHING = {
    "complaint_type": "none", "risk_tier": 0, "motive": "none", "dissatisfaction": "none",
    "escalation": "low", "emotion": "calm", "contact_class": "regular",
}  # fmt: skip


def scores_for(labels: dict[str, Any], certainty: float = 0.8) -> dict[str, np.ndarray]:
    """Scores that favour the labels given; the rest is shared evenly."""
    table = {}
    for head in TAXONOMY.heads:
        rest = (1 - certainty) / (len(head.labels) - 1)
        table[head.name] = np.full(len(head.labels), 0.05 if head.kind == "multi" else rest)
        if head.name in labels:
            table[head.name][head.index(labels[head.name])] = certainty
    return table


def signal(kind: str) -> Signal:
    return Signal(kind, 0, 0, 2, "投诉", "customer")


def run(scores: dict[str, np.ndarray], *kinds: str, policy: Policy = POLICY, **case: Any) -> Any:
    return decide(scores, [signal(k) for k in kinds], Case.read({"text": "投诉", **case}), policy, TAXONOMY, PLAIN)


def label(decision: Any, head: str) -> Any:
    answer = decision.heads[head]
    assert isinstance(answer, HeadResult)
    return answer.label


FLOORS = [
    ("no signal", COMPLAINT, (), {}, 1),
    ("regulator, model sure of the opposite", COMPLAINT, ("regulator_threat",), {"certainty": 0.99}, 1),
    ("regulator, model sees a little", {**COMPLAINT, "risk_tier": 2}, ("regulator_threat",), {"certainty": 0.6}, 3),
    ("violence, model sees a trace", {**COMPLAINT, "risk_tier": 1}, ("violence_threat",), {"certainty": 0.93}, 3),
    ("danger to life, model sees a trace", NOTHING, ("life_danger",), {"certainty": 0.9}, 3),
    ("danger to life that is over", NOTHING, ("life_danger", "settled"), {"certainty": 0.9}, 0),
    ("self-harm, model sees a little", {**COMPLAINT, "risk_tier": 3}, ("self_harm",), {"certainty": 0.3}, 4),
    ("a floor of 3 does not become 4", NOTHING, ("regulator_threat",), {"certainty": 0.85}, 3),
    ("regulator in a plain question", NOTHING, ("regulator_threat",), {"certainty": 0.99}, 0),
    ("no signal, the model sees too much to pass it over", {**COMPLAINT, "risk_tier": 2}, (), {"certainty": 0.4}, 3),
    ("no signal, the model sees less", {**COMPLAINT, "risk_tier": 2}, (), {"certainty": 0.6}, 2),
]


@pytest.mark.parametrize(("labels", "kinds", "sure", "tier"), [r[1:] for r in FLOORS], ids=[r[0] for r in FLOORS])
def test_floors(labels: dict[str, Any], kinds: tuple[str, ...], sure: dict[str, float], tier: int) -> None:
    decision = run(scores_for(labels, **sure), *kinds)
    assert label(decision, "risk_tier") == tier
    assert (decision.heads["risk_tier"].reasons == (kinds or ("possible",))) or tier < 3


def test_a_floor_never_lowers() -> None:
    assert label(run(scores_for({**COMPLAINT, "risk_tier": 4}), "publicity_threat"), "risk_tier") == 4


def test_third_contact_is_an_escalation_unless_settled() -> None:
    scores = scores_for(COMPLAINT, 0.5)
    assert label(run(scores, prior_contacts=2), "escalation") == "high"
    assert label(run(scores, prior_contacts=1), "escalation") == "medium"
    assert label(run(scores, "settled", prior_contacts=2), "escalation") == "medium"


def test_scores_are_reported_as_they_came() -> None:
    scores = scores_for({**COMPLAINT, "risk_tier": 2}, 0.6)
    answer = run(scores, "regulator_threat").heads["risk_tier"]
    assert answer.label == 3
    assert answer.score == pytest.approx(scores["risk_tier"][3])
    assert sum(answer.scores.values()) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(30))
def test_answers_never_contradict_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = {head.name: rng.dirichlet(np.ones(len(head.labels))) for head in TAXONOMY.heads}
    decision = run(scores)
    complaint, tier = label(decision, "complaint_type"), label(decision, "risk_tier")
    unhappy, motive = label(decision, "dissatisfaction"), label(decision, "motive")
    assert (tier in (0, 4)) if complaint == "none" else (tier >= 1)
    assert (unhappy == "none") == (motive == "none")
    assert complaint == "none" or unhappy != "none"


def test_the_most_probable_consistent_answer_wins() -> None:
    scores = scores_for(NOTHING)
    scores["motive"] = np.array([0.3, 0.1, 0.5, 0.1])
    assert label(run(scores), "motive") == "none"


HANDLING = [
    (NOTHING, "一线客服", "keep"),
    (COMPLAINT, "一线客服", "keep"),
    ({**COMPLAINT, "risk_tier": 2}, "资深客服", "pass_on"),
    ({**COMPLAINT, "risk_tier": 3, "escalation": "high"}, "投诉处理专席", "must_report"),
    ({**COMPLAINT, "risk_tier": 4, "escalation": "high"}, "危机处理小组", "must_report"),
]


@pytest.mark.parametrize(("labels", "owner", "may"), HANDLING)
def test_owner(labels: dict[str, Any], owner: str, may: str) -> None:
    handling = run(scores_for(labels)).handling
    assert (handling.owner, handling.present_owner_may) == (owner, may)


def test_severe_cases_never_stay_in_the_front_line() -> None:
    for tier in (3, 4):
        handling = run(scores_for({**COMPLAINT, "risk_tier": tier, "escalation": "high"})).handling
        assert handling.present_owner_may == "must_report"
        assert handling.respond_within_minutes <= 30


def test_advice_follows_motive_and_signal() -> None:
    actions = run(scores_for(COMPLAINT), "churn").handling.actions
    assert any("具名负责人" in one for one in actions)
    assert any("挽留" in one for one in actions)
    assert len(actions) == len(set(actions))


def test_a_label_that_only_consistency_brought_calls_for_no_advice() -> None:
    decision = run(scores_for(NOTHING, 0.94), "regulator_threat")
    assert label(decision, "risk_tier") == 3
    assert label(decision, "complaint_type") != "none"
    tier = next(tier for tier in POLICY.tiers if tier.code == 3)
    assert decision.handling.actions == tier.actions
    assert "low_confidence:complaint_type" in decision.review_reasons


@pytest.mark.parametrize(("delay", "needs", "advised"), [(0.8, 0.0, True), (0.8, 0.9, False), (0.3, 0.0, False)])
def test_every_label_of_a_multi_label_head_calls_for_its_advice(delay: float, needs: float, advised: bool) -> None:
    advice = {"head": "issues", "label": "delay", "actions": ["给出办结时间"]}
    policy = Policy.model_validate({**POLICY.model_dump(), "advice": [advice], "advice_needs_score": needs})
    scores = scores_for(COMPLAINT)
    issues = TAXONOMY.head("issues")
    scores["issues"][[issues.index("attitude"), issues.index("delay")]] = 0.95, delay
    assert ("给出办结时间" in run(scores, policy=policy).handling.actions) == advised


def test_nobody_in_danger_of_life_is_asked_whether_the_offer_suits() -> None:
    scores = scores_for({**COMPLAINT, "risk_tier": 4, "motive": "compensation"})
    usual, alone = (run(scores, *kinds).handling.actions for kinds in (("churn",), ("churn", "self_harm")))
    assert any("首个方案" in action for action in usual)
    assert any("不要挂断" in action for action in alone)
    assert not any(word in action for action in alone for word in ("首个方案", "挽留"))


def test_unsure_means_a_person() -> None:
    assert "low_confidence:risk_tier" in run(scores_for(COMPLAINT, 0.3)).review_reasons
    assert run(scores_for(COMPLAINT, 0.9)).review_reasons == ()


def test_what_cannot_be_ruled_out_goes_to_a_person() -> None:
    assert "possible:risk_tier=3" in run(scores_for({**COMPLAINT, "risk_tier": 1}, 0.85)).review_reasons
    assert "possible:risk_tier=3" not in run(scores_for({**COMPLAINT, "risk_tier": 1}, 0.95)).review_reasons
    assert "possible:risk_tier=3" not in run(scores_for({**COMPLAINT, "risk_tier": 3}, 0.95)).review_reasons


@pytest.mark.parametrize("contact_class", ["no_value", "unreasonable"])
def test_ending_a_call_is_for_a_person_to_decide(contact_class: str) -> None:
    decision = run(scores_for({**NOTHING, "contact_class": contact_class}, 0.95))
    assert f"label:contact_class={contact_class}" in decision.review_reasons
    assert any("人工决定" in one for one in decision.handling.actions)


def test_six_grades_by_file() -> None:
    tiers = [tier.model_dump() for tier in POLICY.tiers]
    media = {**tiers[3], "code": "B", "name": "媒体事件", "signals": ["press_threat"]}
    renamed = [{**tier, "code": code} for tier, code in zip(tiers, "FEDCA", strict=True)]
    policy = Policy.model_validate({**POLICY.model_dump(), "tiers": [*renamed[:3], media, *renamed[3:]]})
    policy.check(TAXONOMY, {"press_threat": 1, **dict.fromkeys(policy._signals_named())})
    scores = scores_for({**COMPLAINT, "risk_tier": 3, "escalation": "high"})
    assert label(run(scores, policy=policy), "risk_tier") == "C"
    answer = run(scores, "press_threat", policy=policy).heads["risk_tier"]
    assert (answer.label, answer.name) == ("B", "媒体事件")
    assert sum(answer.scores.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "rules",
    [
        {"floors": [{"head": "issues", "at_least": "delay", "signals": ["deadline"]}]},
        {"consistency": [{"issues": ["delay"], "motive": ["none"]}]},
    ],
)
def test_floors_and_consistency_need_heads_of_one_label(rules: dict[str, Any]) -> None:
    policy = Policy.model_validate({**POLICY.model_dump(), **rules})
    with pytest.raises(SettingsError, match="issues"):
        policy.check(TAXONOMY, dict.fromkeys(policy._signals_named()))


def test_consistency_that_no_answer_fits_is_refused() -> None:
    calm, upset = {"emotion": ["calm"]}, {"emotion": ["furious"]}
    any_tier = {"risk_tier": [0, 1, 2, 3, 4]}
    policy = Policy.model_validate(
        {**POLICY.model_dump(), "consistency": [{**any_tier, **calm}, {**any_tier, **upset}]}
    )
    with pytest.raises(SettingsError, match=r"\['risk_tier', 'emotion'\] fits all rules; change or remove one"):
        policy.check(TAXONOMY, dict.fromkeys(policy._signals_named()))


def test_consistency_of_too_many_combinations_is_refused() -> None:
    labels = [{"code": code, "zh": str(code), "en": str(code)} for code in range(101)]
    heads = [{"name": name, "kind": "single", "zh": name, "en": name, "labels": labels} for name in ("a", "b", "c")]
    taxonomy = Taxonomy.model_validate({"name": "wide", "version": "1", "heads": heads})
    assert "1,030,301" in contradiction([{"a": [1], "b": [1]}, {"a": [2], "c": [2]}], taxonomy)
    assert contradiction([{"a": [1], "b": [1]}], taxonomy) == contradiction([], taxonomy) == ""


def test_a_consistency_rule_of_one_head_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 2 items"):
        Policy.model_validate({**POLICY.model_dump(), "consistency": [{"motive": ["none"]}]})


@pytest.mark.parametrize(("prior", "suggested"), [(None, False), (1, False), (2, True), (9, True)])
@pytest.mark.parametrize("contact_class", ["regular", "no_value"])
def test_many_contacts_without_value_bring_a_suggestion(prior: int | None, suggested: bool, contact_class: str) -> None:
    scores = scores_for({**NOTHING, "contact_class": contact_class})
    actions = run(scores, prior_no_value=prior).handling.actions
    assert any("多次无效来电" in action for action in actions) == (suggested and contact_class == "no_value")

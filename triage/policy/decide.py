"""From scores, signals and metadata to decisions. Pure: the same input gives the same answer, nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.case import Case
from triage.policy.consistency import best_consistent
from triage.policy.rules import Floor, HeadRule, Policy, Tier
from triage.result import Handling, HeadResult, LabelScore
from triage.signals import Signal
from triage.taxonomy import Head, Taxonomy

Scores = Mapping[str, NDArray[np.float64]]
Answers = Mapping[str, HeadResult | tuple[LabelScore, ...]]
_NO_RULE = HeadRule()


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the artefact brings for a head: label weights in label order, and the threshold of a multi-label head."""

    weights: Mapping[str, Sequence[float]]
    thresholds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Decision:
    """Answers to all heads, what to do, and why a person should look (empty: no need)."""

    heads: dict[str, HeadResult | tuple[LabelScore, ...]]
    handling: Handling
    review_reasons: tuple[str, ...]


def decide(
    scores: Scores,
    signals: Sequence[Signal],
    case: Case,
    policy: Policy,
    taxonomy: Taxonomy,
    defaults: Defaults,
    unknown_words: float = 0.0,
    words: int = 1_000_000,
) -> Decision:
    """Decide every head together.

    `scores` holds calibrated probabilities for each head in label order; `unknown_words` is the share of words the
    model does not know, `words` how many there are.
    """
    kinds = {signal.kind for signal in signals}
    single = [head for head in taxonomy.heads if head.kind != "multi"]
    active = [floor for floor in policy.floors if _holds(floor, kinds, case, scores, taxonomy)]
    weighted = {head.name: scores[head.name] * _weights(head, policy, defaults) for head in single}
    for floor in active:
        weighted[floor.head] = _lifted(weighted[floor.head], taxonomy.head(floor.head).index(floor.at_least))
    chosen = best_consistent(weighted, policy.consistency, taxonomy)
    answers: dict[str, HeadResult | tuple[LabelScore, ...]] = {}
    for head in taxonomy.heads:
        if head.kind == "multi":
            answers[head.name] = _labels_above(head, scores[head.name], policy, defaults)
        else:
            reasons = _reasons(head, active, kinds, scores[head.name])
            answer = _answer(head, chosen[head.name], scores[head.name], reasons)
            answers[head.name] = _graded(policy, head, answer, kinds) if head.name == policy.tier_head else answer
    tier = _tier_of(policy, taxonomy.head(policy.tier_head).codes[chosen[policy.tier_head]], kinds)
    review = _review(policy, taxonomy, chosen, scores, unknown_words, words)
    seen = _seen(policy, taxonomy, chosen, scores, answers)
    handling = Handling(
        tier.owner,
        tier.present_owner_may,
        tier.respond_within_minutes,
        _actions(policy, tier, seen, kinds, case.prior_no_value or 0),
    )
    return Decision(answers, handling, review)


def _lifted(weighted: NDArray[np.float64], floor: int) -> NDArray[np.float64]:
    """What spoke for labels below the floor speaks for the floor itself; it never raises further than that."""
    lifted = weighted.copy()
    lifted[floor] += lifted[:floor].sum()
    lifted[:floor] = 0.0
    lifted[max(floor, int(weighted.argmax())) + 1 :] = 0.0
    return lifted


def _holds(floor: Floor, kinds: set[str], case: Case, scores: Scores, taxonomy: Taxonomy) -> bool:
    if floor.signals and not kinds.intersection(floor.signals):
        return False
    if kinds.intersection(floor.without):
        return False
    if floor.channels and case.channel not in floor.channels:
        return False
    if floor.prior_contacts is not None and (case.prior_contacts or 0) < floor.prior_contacts:
        return False
    position = taxonomy.head(floor.head).index(floor.at_least)
    return float(scores[floor.head][position:].sum()) >= floor.needs_score


def _weights(head: Head, policy: Policy, defaults: Defaults) -> NDArray[np.float64]:
    own = policy.heads.get(head.name, _NO_RULE).weights
    if own:
        given = {str(code): weight for code, weight in own.items()}
        return np.array([given.get(str(code), 1.0) for code in head.codes])
    return np.asarray(defaults.weights.get(head.name, np.ones(len(head.codes))), dtype=np.float64)


def _labels_above(
    head: Head, scores: NDArray[np.float64], policy: Policy, defaults: Defaults
) -> tuple[LabelScore, ...]:
    rule = policy.heads.get(head.name, _NO_RULE)
    threshold = rule.threshold if rule.threshold is not None else defaults.thresholds.get(head.name, 0.5)
    ranked = sorted(np.flatnonzero(scores >= threshold), key=lambda position: -scores[position])
    return tuple(
        LabelScore(head.labels[position].code, head.labels[position].zh, float(scores[position]))
        for position in ranked[: rule.at_most]
    )


def _answer(head: Head, position: int, scores: NDArray[np.float64], reasons: tuple[str, ...]) -> HeadResult:
    label = head.labels[position]
    by_code = {str(code): float(score) for code, score in zip(head.codes, scores, strict=True)}
    return HeadResult(label.code, label.zh, float(scores[position]), by_code, reasons)


def _reasons(head: Head, active: Sequence[Floor], kinds: set[str], scores: NDArray[np.float64]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for floor in active:
        if floor.head == head.name:
            found.update(dict.fromkeys(kind for kind in floor.signals if kind in kinds))
            found.update(dict.fromkeys(["channel"] if floor.channels else []))
            found.update(dict.fromkeys(["prior_contacts"] if floor.prior_contacts is not None else []))
            bare = not (floor.signals or floor.channels or floor.prior_contacts)
            found.update(dict.fromkeys(["possible"] if bare and scores.argmax() < head.index(floor.at_least) else []))
    return tuple(found)


def _tier_of(policy: Policy, label: object, kinds: set[str]) -> Tier:
    for tier in policy.tiers:
        if str(label) in map(str, tier.labels) and (not tier.signals or kinds.intersection(tier.signals)):
            return tier
    raise AssertionError("Policy.check lets no label without a tier pass")


def _graded(policy: Policy, head: Head, answer: HeadResult, kinds: set[str]) -> HeadResult:
    """The tier in the organisation's own grades; a grade is as probable as the labels that lead to it."""
    scores = {str(one.code): 0.0 for one in policy.tiers}
    for code in head.codes:
        scores[str(_tier_of(policy, code, kinds).code)] += answer.scores[str(code)]
    tier = _tier_of(policy, answer.label, kinds)
    return HeadResult(tier.code, tier.name, scores[str(tier.code)], scores, answer.reasons)


def _review(
    policy: Policy, taxonomy: Taxonomy, chosen: Mapping[str, int], scores: Scores, unknown_words: float, words: int
) -> tuple[str, ...]:
    reasons = []
    for name, rule in policy.heads.items():
        if name not in chosen:
            continue
        head = taxonomy.head(name)
        code = head.codes[chosen[name]]
        if scores[name][chosen[name]] < rule.review_below:
            reasons.append(f"low_confidence:{name}")
        if str(code) in map(str, rule.review_labels):
            reasons.append(f"label:{name}={code}")
        for possible, probability in rule.review_possible.items():
            position = head.index(possible)
            if chosen[name] < position and scores[name][position:].sum() >= probability:
                reasons.append(f"possible:{name}={possible}")
    if unknown_words > policy.review.unknown_words_above:
        reasons.append("unknown_words")
    if words < policy.review.fewer_words_than:
        reasons.append("too_few_words")
    return tuple(reasons)


def _seen(
    policy: Policy, taxonomy: Taxonomy, chosen: Mapping[str, int], scores: Scores, answers: Answers
) -> set[tuple[str, str]]:
    """Head and code of every label given, of any kind of head, in which the model sees enough to advise on it."""
    given = [(name, taxonomy.head(name).codes[position], scores[name][position]) for name, position in chosen.items()]
    several = {name: labels for name, labels in answers.items() if isinstance(labels, tuple)}
    given += [(name, one.label, one.score) for name, labels in several.items() for one in labels]
    return {(name, str(code)) for name, code, score in given if score >= policy.advice_needs_score}


def _actions(policy: Policy, tier: Tier, seen: set[tuple[str, str]], kinds: set[str], no_value: int) -> tuple[str, ...]:
    called_for = [
        advice
        for advice in policy.advice
        if (advice.signal in kinds or (advice.head, str(advice.label)) in seen) and no_value >= advice.prior_no_value
    ]
    followed = [advice for advice in called_for if advice.alone] or called_for
    return tuple(dict.fromkeys([*tier.actions, *(action for advice in followed for action in advice.actions)]))

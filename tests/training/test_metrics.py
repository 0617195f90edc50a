"""Figures against values worked out by hand."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from training import metrics
from training.calibrate import calibrate
from training.cases import parse_record
from training.choose import agreement_of
from training.evaluate import Answers
from triage.classifier import probabilities
from triage.taxonomy import Head, load_taxonomy

TAXONOMY = load_taxonomy()
MOTIVE, TIER, ISSUES = (TAXONOMY.head(name) for name in ("motive", "risk_tier", "issues"))


@pytest.mark.parametrize(
    ("wanted", "given", "kappa"),
    [
        (["none", "venting", "respect", "none"], ["none", "venting", "respect", "none"], 1.0),
        (["none", "none", "venting", "venting"], ["none", "venting", "none", "venting"], 0.0),
        (["none", "none", "venting", "venting"], ["none", "none", "venting", "none"], 0.5),
        (["none", "none"], ["venting", "venting"], 0.0),
        (["none", "none"], ["none", "none"], math.nan),
        ([], [], math.nan),
    ],
)
def test_kappa(wanted: list[str], given: list[str], kappa: float) -> None:
    assert metrics.kappa(MOTIVE, wanted, given) == pytest.approx(kappa, nan_ok=True)


def test_a_constant_answer_has_no_agreement_in_any_sample() -> None:
    wanted = np.array([0] * 200 + [1] * 2)
    kappa = partial(metrics.kappa_of_positions, MOTIVE)
    assert kappa(wanted, np.zeros_like(wanted)) == 0
    assert metrics.bootstrap([wanted, np.zeros_like(wanted)], kappa, np.arange(202)) == (0, 0)


@pytest.mark.parametrize("head", [MOTIVE, TIER], ids=lambda head: head.name)
@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_scikit_learn(head: Head, seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted, noise = rng.integers(0, len(head.labels), (2, 80))
    given = np.where(rng.random(80) < 0.6, wanted, noise)
    expected = cohen_kappa_score(
        wanted, given, weights="quadratic" if head.kind == "ordered" else None, labels=range(len(head.labels))
    )
    assert metrics.kappa_of_positions(head, wanted, given) == pytest.approx(expected)


def test_weighted_kappa_forgives_near_misses() -> None:
    wanted = [0, 1, 2, 3, 4] * 4
    near, far = [*wanted[:-1], 3], [*wanted[:-1], 0]
    assert 1 > metrics.kappa(TIER, wanted, near) > metrics.kappa(TIER, wanted, far)


@pytest.mark.parametrize(
    ("wanted", "given", "f1"),
    [
        ([["delay"], ["refund", "terms"]], [["delay"], ["refund"]], 0.8),
        ([["delay"], []], [["refund"], []], 0.0),
        ([[], []], [["refund"], []], 0.0),
        ([[], []], [[], []], math.nan),
        ([], [], math.nan),
    ],
)
def test_multi_label_f1(wanted: list[list[str]], given: list[list[str]], f1: float) -> None:
    assert metrics.multi_label_f1(ISSUES, wanted, given) == pytest.approx(f1, nan_ok=True)


def test_calibration_error_of_a_sure_liar_and_of_an_honest_one() -> None:
    correct = np.array([True, False] * 50)
    assert metrics.calibration_error(np.full(100, 0.5), correct, bins=1) == pytest.approx(0)
    assert metrics.calibration_error(np.full(100, 1.0), correct, bins=1) == pytest.approx(0.5)


def test_risk_falls_with_coverage_when_confidence_means_something() -> None:
    confidence = np.linspace(0, 1, 100)
    risks = metrics.risk_coverage(confidence, confidence > 0.3)
    assert risks["50 %"] == 0
    assert risks["100 %"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("wanted", "given", "recall", "precision"),
    [([1, 1, 0, 0], [1, 0, 1, 0], 0.5, 0.5), ([0, 0], [0, 1], math.nan, 0.0), ([1, 1], [0, 0], 0.0, math.nan)],
)
def test_found_and_right(wanted: list[int], given: list[int], recall: float, precision: float) -> None:
    found = metrics.found_and_right([bool(w) for w in wanted], [bool(g) for g in given])
    assert found == pytest.approx((recall, precision), nan_ok=True)


def test_an_overconfident_head_is_cooled_down() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 600)
    logits = rng.normal(0, 1, (600, 4))
    logits[np.arange(600), truth] += 1
    fitted = calibrate(MOTIVE, logits * 6, [MOTIVE.codes[i] for i in truth])
    assert fitted.temperature > 3
    scores = probabilities(MOTIVE, logits * 6, fitted)
    assert metrics.calibration_error(scores.max(1), scores.argmax(1) == truth) < 0.06


def test_one_label_alone_moves_no_label_weights() -> None:
    logits = np.random.default_rng(0).normal(0, 1, (50, len(MOTIVE.labels)))
    assert set(calibrate(MOTIVE, logits, [MOTIVE.codes[1]] * 50).weights) == {1.0}


def test_a_threshold_is_fitted_where_labels_do_not_exclude_each_other() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((400, len(ISSUES.labels))) < 0.1
    logits = rng.normal(-2, 0.5, truth.shape) + 3 * truth
    fitted = calibrate(ISSUES, logits, [[ISSUES.codes[i] for i in np.flatnonzero(row)] for row in truth])
    given = probabilities(ISSUES, logits, fitted) >= fitted.threshold
    assert (given == truth).mean() > 0.98


def test_an_interval_of_resampled_groups_knows_that_their_cases_are_not_news() -> None:
    right = np.random.default_rng(0).random(60) < 0.7
    alone = metrics.bootstrap([right], np.mean, np.arange(60))
    thrice = metrics.bootstrap([np.repeat(right, 3)], np.mean, np.repeat(np.arange(60), 3))
    as_news = metrics.bootstrap([np.repeat(right, 3)], np.mean, np.arange(180))
    assert thrice == pytest.approx(alone)
    assert as_news[1] - as_news[0] < 0.7 * (alone[1] - alone[0])


@pytest.mark.parametrize(("groups", "known"), [(0, False), (1, False), (5, False), (6, True)])
def test_there_is_no_interval_of_few_groups(groups: int, known: bool) -> None:
    right = np.arange(groups * 10) % 2 == 0
    found = metrics.bootstrap([right], np.mean, np.repeat(np.arange(groups), 10))
    assert found == pytest.approx((0.5, 0.5) if known else (math.nan, math.nan), nan_ok=True)


def test_there_is_no_interval_of_what_is_never_known() -> None:
    found = metrics.bootstrap([np.zeros(20)], lambda _: math.nan, np.arange(20))
    assert found == pytest.approx((math.nan, math.nan), nan_ok=True)


def test_heads_without_an_agreement_do_not_count() -> None:
    cases = [
        parse_record({"id": str(row), "text": "字", "labels": {"motive": "none", "risk_tier": row % 2}}, TAXONOMY)
        for row in range(4)
    ]
    labels: dict[str, list[Any]] = {head.name: [head.codes[0]] * 4 for head in TAXONOMY.heads}
    labels |= {"issues": [[]] * 4, "risk_tier": [0, 1, 0, 1]}
    assert agreement_of(TAXONOMY, cases, Answers(labels, {})) == 1
    assert agreement_of(TAXONOMY, cases[:1], Answers(labels, {})) == 0

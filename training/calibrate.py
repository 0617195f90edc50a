"""On dev: temperature and bias of every head, the label weights that agree best, thresholds. The model never saw it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.metrics import f1_score

from training.metrics import kappa
from triage.artefact import HeadCalibration
from triage.classifier import probabilities
from triage.taxonomy import Code, Head

Logits = NDArray[np.float64]
_WEIGHT_STEPS = (0.5, 0.7, 0.85, 1.2, 1.4, 2.0)
_RECALL = {"single": 0.3, "ordered": 0.0}  # how much the mean recall of the labels counts beside kappa


def calibrate(head: Head, logits: Logits, labels: Sequence[Code | Sequence[Code]]) -> HeadCalibration:
    """Fit one head on `logits` `[cases, labels]` and the true labels: a code a case, codes for a multi-label head."""
    targets = _targets(head, labels)
    fitted, _ = _fit_temperature(head, logits, targets)
    scores = probabilities(head, logits, fitted)
    if head.kind == "multi":
        return fitted.model_copy(update={"threshold": _best_threshold(scores, targets)})
    return fitted.model_copy(update={"weights": _best_weights(head, scores, targets)})


def loss_after_fit(head: Head, logits: Logits, labels: Sequence[Code | Sequence[Code]]) -> float:
    """Penalised negative log-likelihood of calibrated logits, by which rival logits of a head can be compared."""
    return _fit_temperature(head, logits, _targets(head, labels))[1]


def _targets(head: Head, labels: Sequence[Code | Sequence[Code]]) -> Logits:
    targets = np.zeros((len(labels), len(head.labels)))
    for row, value in enumerate(labels):
        codes = [value] if isinstance(value, int | str) else value
        targets[row, [head.index(code) for code in codes]] = 1
    return targets


def _fit_temperature(head: Head, logits: Logits, targets: Logits) -> tuple[HeadCalibration, float]:
    """Maximum likelihood with a weak pull towards temperature 1 and no bias."""

    def loss(parameters: NDArray[np.float64]) -> float:
        guess = HeadCalibration(temperature=float(np.exp(parameters[0])), bias=tuple(parameters[1:]))
        scores = probabilities(head, logits, guess).clip(1e-6, 1 - 1e-6)
        likelihood = targets * np.log(scores)
        if head.kind == "multi":
            likelihood = likelihood + (1 - targets) * np.log(1 - scores)
        return float(-likelihood.sum() + 0.5 * (parameters**2).sum())

    found = minimize(loss, np.zeros(1 + logits.shape[1]), method="L-BFGS-B")
    bias = tuple(round(float(one), 4) for one in found.x[1:])
    return HeadCalibration(temperature=float(np.exp(found.x[0])), bias=bias), float(found.fun)


def _best_threshold(scores: Logits, targets: Logits) -> float:
    grid = np.arange(0.15, 0.7, 0.025)
    return float(max(grid, key=lambda cut: f1_score(targets, scores >= cut, average="micro", zero_division=0)))


def _best_weights(head: Head, scores: Logits, targets: Logits) -> tuple[float, ...]:
    """Coordinate search for label weights; a step must gain more than it could by chance on a few cases.

    Weights that agree nearly alike can differ much in how many of a rare label they find, so recall counts, too, but
    for ordered heads, whose kappa weighs how far off an answer is. All 1 where the cases have one label: kappa cannot
    tell weights apart there.
    """
    truth = targets.argmax(1)
    if len(np.unique(truth)) < 2:
        return (1.0,) * len(head.labels)
    wanted = [head.codes[position] for position in truth]

    def agreement(weights: NDArray[np.float64]) -> float:
        given = (scores * weights).argmax(1)
        recall = np.mean([(given[truth == position] == position).mean() for position in np.unique(truth)])
        return kappa(head, wanted, [head.codes[position] for position in given]) + _RECALL[head.kind] * float(recall)

    weights = np.ones(len(head.labels))
    best = agreement(weights)
    for _ in range(2):
        for label in range(len(weights)):
            for step in _WEIGHT_STEPS:
                trial = weights.copy()
                trial[label] *= step
                if (found := agreement(trial)) > best + 0.002:
                    best, weights = found, trial
    return tuple(round(float(weight), 4) for weight in weights)

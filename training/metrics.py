"""Agreement, classification and calibration figures of one head, from labels and probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from triage.taxonomy import Code, Head

Scores = NDArray[np.float64]
Positions = NDArray[np.int64]
Members = NDArray[np.bool_]
FEWEST_GROUPS = 6
"""Five groups that change by chance all change the same way in 6 % of the comparisons, six in 3 %."""
_SHARES = (50, 70, 80, 90, 100)


def kappa(head: Head, wanted: Sequence[Code], given: Sequence[Code]) -> float:
    """Cohen's kappa; quadratic weights where labels are ordered. 0 when only one side varies.

    NaN where chance alone agrees always: without cases, and where both sides give one label, the same, to all.
    """
    positions = (np.array([head.index(code) for code in codes], dtype=int) for codes in (wanted, given))
    return kappa_of_positions(head, *positions)


def kappa_of_positions(head: Head, wanted: Positions, given: Positions) -> float:
    """`kappa` from label positions; quick enough to be bootstrapped."""
    counts = confusion(head, wanted, given)
    by_chance = np.outer(counts.sum(1), counts.sum(0)) / max(1, len(wanted))
    place = np.arange(len(head.labels))
    distance = (place[:, None] - place[None, :]) ** 2
    weights = distance if head.kind == "ordered" else distance > 0
    expected = float((weights * by_chance).sum())
    return 1 - float((weights * counts).sum()) / expected if expected else float("nan")


def multi_label_f1(head: Head, wanted: Sequence[Sequence[Code]], given: Sequence[Sequence[Code]]) -> float:
    """Micro-averaged F1 over all labels of a multi-label head; NaN where neither side gives a label to any case."""
    return f1_of_members(members(head, wanted), members(head, given))


def members(head: Head, labels: Sequence[Sequence[Code]]) -> Members:
    """`[cases, labels]`: which labels of the head each case has."""
    found = np.zeros((len(labels), len(head.labels)), dtype=bool)
    for row, codes in zip(found, labels, strict=True):
        row[[head.index(code) for code in codes]] = True
    return found


def f1_of_members(wanted: Members, given: Members) -> float:
    """`multi_label_f1` from `members` of both sides; quick enough to be bootstrapped."""
    labels = int(wanted.sum() + given.sum())
    return 2 * int((wanted & given).sum()) / labels if labels else float("nan")


def mean_of_measured(values: Iterable[float]) -> float:
    """Mean of the figures that are not NaN; NaN if all are."""
    measured = [value for value in values if not math.isnan(value)]
    return fmean(measured) if measured else float("nan")


def confusion(head: Head, wanted: Positions, given: Positions) -> NDArray[np.int64]:
    """Counts with a row for each reference label and a column for each label given, in the order of the head."""
    size = len(head.labels)
    return np.bincount(wanted * size + given, minlength=size * size).reshape(size, size)


def reliability(confidence: Scores, correct: NDArray[np.bool_], bins: int = 10) -> list[dict[str, float]]:
    """Mean probability of the label given, accuracy and count, in bins of equal count from the least sure."""
    parts = [part for part in np.array_split(np.argsort(confidence), bins) if len(part)]
    return [
        {"confidence": float(confidence[part].mean()), "accuracy": float(correct[part].mean()), "count": len(part)}
        for part in parts
    ]


def calibration_error(confidence: Scores, correct: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error over the bins of `reliability`; NaN without cases."""
    rows = reliability(confidence, correct, bins)
    gaps = [row["count"] * abs(row["confidence"] - row["accuracy"]) for row in rows]
    return sum(gaps) / len(confidence) if gaps else float("nan")


def risk_coverage(confidence: Scores, correct: NDArray[np.bool_]) -> dict[str, float]:
    """Error rate among the most confident 50, 70, 80, 90 and 100 % of the cases; NaN without cases."""
    if not len(confidence):
        return {f"{share} %": float("nan") for share in _SHARES}
    order = np.argsort(-confidence, kind="stable")
    counts = {share: max(1, round(len(order) * share / 100)) for share in _SHARES}
    return {f"{share} %": float(1 - correct[order[:count]].mean()) for share, count in counts.items()}


def bootstrap(
    values: Sequence[NDArray[Any]],
    figure: Callable[..., float],
    groups: Positions,
    rounds: int = 200,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of `level` of `figure(*values)` over resampled `groups` of rows, one group number a row.

    Samples whose figure is NaN are left out. NaN with fewer than `FEWEST_GROUPS` groups, or without a figure.
    """
    names, place = np.unique(groups, return_inverse=True)
    if len(names) < FEWEST_GROUPS:
        return float("nan"), float("nan")
    figures = np.array([figure(*(value[rows] for value in values)) for rows in _resamples(place, rounds)])
    measured = figures[~np.isnan(figures)]
    if not len(measured):
        return float("nan"), float("nan")
    low, high = np.percentile(measured, [50 * (1 - level), 50 * (1 + level)])
    return float(low), float(high)


def _resamples(place: Positions, rounds: int) -> Iterator[Positions]:
    """Row numbers: as many groups as there are, drawn with replacement, each with all its rows; the same every time.

    `place` `[rows]` counts the groups from 0.
    """
    count = place.max() + 1
    for times in np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), rounds):
        yield np.repeat(np.arange(len(place)), times[place])


def per_class(head: Head, wanted: Sequence[Code], given: Sequence[Code]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of every label."""
    names = [str(code) for code in head.codes]
    columns = [[0.0] * len(names)] * 4
    if wanted:
        columns = precision_recall_fscore_support(
            [str(code) for code in wanted], [str(code) for code in given], labels=names, zero_division=0
        )
    rows = zip(names, *columns, strict=True)
    return [
        {"label": name, "precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
        for name, p, r, f, s in rows
    ]


def found_and_right(wanted: Sequence[bool], given: Sequence[bool]) -> tuple[float, float]:
    """Recall and precision of a yes/no question; NaN where nothing was to be found or nothing was given."""
    hits = sum(w and g for w, g in zip(wanted, given, strict=True))
    recall = hits / sum(wanted) if any(wanted) else float("nan")
    precision = hits / sum(given) if any(given) else float("nan")
    return recall, precision

"""Agreement, classification and calibration figures of one head, from labels and probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, precision_recall_fscore_support

from triage.taxonomy import Code, Head

Scores = NDArray[np.float64]
Positions = NDArray[np.int64]
_SHARES = (50, 70, 80, 90, 100)


def kappa(head: Head, wanted: Sequence[Code], given: Sequence[Code]) -> float:
    """Cohen's kappa; quadratic weights where labels are ordered. 0 when one side never varies; NaN without cases."""
    positions = (np.array([head.index(code) for code in codes], dtype=int) for codes in (wanted, given))
    return kappa_of_positions(head, *positions)


def kappa_of_positions(head: Head, wanted: Positions, given: Positions) -> float:
    """`kappa` from label positions; quick enough to be bootstrapped."""
    counts = confusion(head, wanted, given)
    by_chance = np.outer(counts.sum(1), counts.sum(0)) / max(1, len(wanted))
    place = np.arange(len(head.labels))
    distance = (place[:, None] - place[None, :]) ** 2
    weights = distance if head.kind == "ordered" else distance > 0
    if not len(wanted):
        return float("nan")
    expected = float((weights * by_chance).sum())
    return 1 - float((weights * counts).sum()) / expected if expected else 1.0


def multi_label_f1(head: Head, wanted: Sequence[Sequence[Code]], given: Sequence[Sequence[Code]]) -> float:
    """Micro-averaged F1 over all labels of a multi-label head; NaN without cases."""
    if not wanted:
        return float("nan")
    matrices = []
    for rows in (wanted, given):
        matrix = np.zeros((len(rows), len(head.labels)), dtype=int)
        for row, codes in enumerate(rows):
            matrix[row, [head.index(code) for code in codes]] = 1
        matrices.append(matrix)
    return float(f1_score(*matrices, average="micro", zero_division=0))


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


def resamples(rows: Positions, groups: Positions, rounds: int) -> Iterator[Positions]:
    """As many `groups` `[rows]` as there are, drawn with replacement, each with all its rows; the same every time."""
    names, place = np.unique(groups, return_inverse=True)
    chances = np.full(len(names), 1 / len(names))
    for times in np.random.default_rng(0).multinomial(len(names), chances, rounds):
        yield np.repeat(rows, times[place])


def bootstrap(
    values: Sequence[NDArray[Any]], figure: Callable[..., float], groups: Positions, rounds: int = 200
) -> tuple[float, float]:
    """95 % interval of `figure(*values)` over resampled `groups` of rows, one group number a row; NaN without rows."""
    if not len(groups):
        return float("nan"), float("nan")
    samples = resamples(np.arange(len(groups)), groups, rounds)
    low, high = np.nanpercentile([figure(*(value[rows] for value in values)) for rows in samples], [2.5, 97.5])
    return float(low), float(high)


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

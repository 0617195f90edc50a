"""Agreement, classification and calibration figures of one head, from labels and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score, f1_score, precision_recall_fscore_support

from triage.taxonomy import Code, Head

Scores = NDArray[np.float64]


def kappa(head: Head, wanted: Sequence[Code], given: Sequence[Code]) -> float:
    """Cohen's kappa; quadratic weights where labels are ordered. 0 when one side never varies."""
    if not wanted:
        return float("nan")
    positions = [[head.index(code) for code in codes] for codes in (wanted, given)]
    if len(set(positions[0])) == 1 or len(set(positions[1])) == 1:
        return 1.0 if positions[0] == positions[1] else 0.0
    weights = "quadratic" if head.kind == "ordered" else None
    return float(cohen_kappa_score(*positions, labels=range(len(head.labels)), weights=weights))


def multi_label_f1(head: Head, wanted: Sequence[Sequence[Code]], given: Sequence[Sequence[Code]]) -> float:
    """Micro-averaged F1 over all labels of a multi-label head."""
    matrices = []
    for rows in (wanted, given):
        matrix = np.zeros((len(rows), len(head.labels)), dtype=int)
        for row, codes in enumerate(rows):
            matrix[row, [head.index(code) for code in codes]] = 1
        matrices.append(matrix)
    return float(f1_score(*matrices, average="micro", zero_division=0))


def calibration_error(confidence: Scores, correct: Scores, bins: int = 10) -> float:
    """Expected calibration error over bins of equal count, of the probability of the label given."""
    order = np.argsort(confidence)
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [len(part) * abs(confidence[part].mean() - correct[part].mean()) for part in parts]
    return float(sum(gaps) / len(confidence))


def risk_coverage(confidence: Scores, correct: NDArray[np.bool_]) -> dict[str, float]:
    """Error rate among the most confident 50, 70, 80, 90 and 100 % of the cases."""
    order = np.argsort(-confidence, kind="stable")
    counts = {share: max(1, round(len(order) * share / 100)) for share in (50, 70, 80, 90, 100)}
    return {f"{share} %": float(1 - correct[order[:count]].mean()) for share, count in counts.items()}


def bootstrap(values: Sequence[NDArray[Any]], figure: Any, rounds: int = 500, seed: int = 0) -> tuple[float, float]:
    """95 % interval of `figure(*values)` over resampled rows."""
    rng = np.random.default_rng(seed)
    rows = len(values[0])
    samples = [rng.integers(0, rows, rows) for _ in range(rounds)]
    figures = [figure(*(value[sample] for value in values)) for sample in samples]
    low, high = np.nanpercentile(figures, [2.5, 97.5])
    return float(low), float(high)


def per_class(head: Head, wanted: Sequence[Code], given: Sequence[Code]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of every label."""
    names = [str(code) for code in head.codes]
    table = precision_recall_fscore_support(
        [str(code) for code in wanted], [str(code) for code in given], labels=names, zero_division=0
    )
    rows = zip(names, *table, strict=True)
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

"""Labels that a model which never saw them would not have given: confident learning (Northcutt et al., 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray

from training.baseline import Baseline
from training.cases import LabelledCase
from training.label_values import SEPARATOR
from triage.segment import Segmenter
from triage.taxonomy import Head, Taxonomy

_FEATURES = (5_000, 10_000)
_FEWEST = 10


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A label to look at again: the position of the record, what it says, what the text looks like.

    `score` is the out-of-fold probability of the label given, 0 to 1; for a multi-label head of the one label in doubt,
    written `+code` where it seems to be missing and `-code` where it seems to be too much.
    """

    record: int
    head: str
    given: str
    suggested: str
    score: float


def suspicious(records: Sequence[LabelledCase], taxonomy: Taxonomy, groups: NDArray[np.int64]) -> list[Suspicion]:
    """Suspicious labels of all heads, the least believable first.

    Probabilities come from the TF-IDF baseline in three folds that keep each of `groups` `[records]` together. How many
    labels are listed is what confident learning estimates to be wrong; labels with fewer than 10 cases are not judged.
    Raises InputError with fewer than three groups.
    """
    scores = Baseline(taxonomy, Segmenter("rjieba"), features=_FEATURES).out_of_fold(records, groups)
    return in_doubt(records, taxonomy, scores)


def in_doubt(
    records: Sequence[LabelledCase], taxonomy: Taxonomy, scores: Mapping[str, NDArray[np.float64]]
) -> list[Suspicion]:
    """`suspicious` for probabilities `[records, labels]` by head that come from elsewhere."""
    found = []
    for head in taxonomy.heads:
        rows = [row for row, record in enumerate(records) if head.name in record.labels]
        if rows:
            judge = _several if head.kind == "multi" else _one
            found += judge(head, records, np.array(rows), scores[head.name][rows])
    return sorted(found, key=lambda one: (one.score, one.record))


def _one(
    head: Head, records: Sequence[LabelledCase], rows: NDArray[np.int64], scores: NDArray[np.float64]
) -> list[Suspicion]:
    labels = np.array([head.index(records[row].labels[head.name]) for row in rows])
    usual = np.flatnonzero(np.bincount(labels, minlength=len(head.labels)) >= _FEWEST)
    judged = np.isin(labels, usual)
    if len(usual) < 2:
        return []
    table = scores[judged][:, usual]
    table = table / np.maximum(table.sum(1, keepdims=True), 1e-12)
    given = np.searchsorted(usual, labels[judged])
    return [
        Suspicion(
            int(rows[judged][place]),
            head.name,
            str(head.codes[usual[given[place]]]),
            str(head.codes[usual[table[place].argmax()]]),
            float(table[place, given[place]]),
        )
        for place in _issues(given, table)
        if table[place].argmax() != given[place]
    ]


def _several(
    head: Head, records: Sequence[LabelledCase], rows: NDArray[np.int64], scores: NDArray[np.float64]
) -> list[Suspicion]:
    """Every label as a question of its own: is it there?"""
    found = []
    for place, code in enumerate(head.codes):
        given = np.array([code in records[row].labels[head.name] for row in rows], dtype=int)
        if min(given.sum(), len(given) - given.sum()) < _FEWEST:
            continue
        table = np.stack([1 - scores[:, place], scores[:, place]], axis=1)
        for issue in _issues(given, table):
            if table[issue].argmax() != given[issue]:
                codes = SEPARATOR.join(map(str, records[rows[issue]].labels[head.name]))
                sign = "-" if given[issue] else "+"
                score = float(table[issue, given[issue]])
                found.append(Suspicion(int(rows[issue]), head.name, codes, f"{sign}{code}", score))
    return found


def _issues(given: NDArray[np.int64], table: NDArray[np.float64]) -> list[int]:
    return np.flatnonzero(find_label_issues(given, table, filter_by="low_self_confidence", n_jobs=1)).tolist()

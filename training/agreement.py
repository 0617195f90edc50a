"""Agreement of two or more sets of labels for the same cases, and the cases worth talking about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import metrics
from training.cases import find_labelled, raw_records, short_names
from training.label_values import read_labels
from triage.errors import InputError
from triage.taxonomy import Head, Taxonomy

Passes = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Annotator, case id, head: label."""


@dataclass(frozen=True, slots=True)
class HeadAgreement:
    """Figures of one head over the cases that at least two annotators labelled.

    `agreement` is Cohen's kappa, with quadratic weights where labels are ordered, or micro-F1 for a multi-label head;
    `unweighted` is kappa without weights; both are means over the pairs of annotators that they can be measured of, NaN
    where there is none: all gave one label, or none of a multi-label head. `alpha` is Krippendorff's (interval
    where ordered, Jaccard distance of the sets for a multi-label head). `same` is the share of cases on which all
    agree. `labels` has for every label how many were given and the share of those that another annotator gave too.
    """

    cases: int
    agreement: float
    unweighted: float
    alpha: float
    same: float
    labels: dict[str, tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A case on which annotators differ: `severity` adds up the distances of its heads, each 0 to 1."""

    id: str
    severity: float
    heads: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Annotators with their number of cases, figures by head, and the disputes, the worst first."""

    annotators: dict[str, int]
    heads: dict[str, HeadAgreement]
    discuss: list[Dispute]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def read_passes(paths: Sequence[Path], taxonomy: Taxonomy) -> dict[str, dict[str, dict[str, Any]]]:
    """Labels by annotator and case id: a path is an annotator, unless one path alone names them in its rows.

    InputError names rows that cannot be read, a case labelled twice in one pass, and a lone annotator.
    """
    passes: dict[str, dict[str, dict[str, Any]]] = {}
    for path, pass_name in short_names(paths).items():
        for file in find_labelled([path]):
            for raw in raw_records(file, taxonomy):
                name = pass_name if len(paths) > 1 else str(raw.fields.get("annotator", pass_name))
                labels = passes.setdefault(name, {})
                try:
                    if raw.problem or str(raw.fields["id"]) in labels:
                        raise InputError(raw.problem or f"{name} has labelled {raw.fields['id']} before")
                    labels[str(raw.fields["id"])] = read_labels(raw.fields["labels"], taxonomy)
                except InputError as error:
                    raise InputError(f"{raw.place}: {error}") from None
    if len(passes) < 2:
        raise InputError(
            f"agreement: two passes or a column `annotator` with two names are needed, given {list(passes)}"
        )
    return passes


def agreement(taxonomy: Taxonomy, passes: Passes) -> Agreement:
    """All figures; a head that no two annotators labelled on the same case is left out."""
    heads, disputes = {}, []
    ids = dict.fromkeys(case for labels in passes.values() for case in labels)
    for head in taxonomy.heads:
        given = {case: _given(head, passes, case) for case in ids}
        given = {case: labels for case, labels in given.items() if len(labels) > 1}
        if given:
            heads[head.name] = _figures(head, list(given.values()), list(passes))
            disputes += [(case, head.name, labels, _farthest(head, labels)) for case, labels in given.items()]
    found: dict[str, Dispute] = {}
    for case, name, labels, distance in disputes:
        if distance:
            before = found.get(case, Dispute(case, 0.0, {}))
            found[case] = Dispute(case, before.severity + distance, {**before.heads, name: labels})
    discuss = sorted(found.values(), key=lambda dispute: (-dispute.severity, dispute.id))
    return Agreement({name: len(labels) for name, labels in passes.items()}, heads, discuss)


def alpha(units: Sequence[Sequence[int]], distance: NDArray[np.float64]) -> float:
    """Krippendorff's alpha of values (positions in `distance` `[values, values]`); each unit has two values or more.

    NaN without units, 1 when nothing varies. Krippendorff (2011), Computing Krippendorff's Alpha-Reliability.
    """
    together = np.zeros(distance.shape)
    for unit in units:
        counts = np.bincount(unit, minlength=len(distance))
        together += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    totals = together.sum(1)
    count = totals.sum()
    if not count:
        return float("nan")
    expected = (np.outer(totals, totals) - np.diag(totals)) * distance
    return 1 - float((count - 1) * (together * distance).sum() / expected.sum()) if expected.any() else 1.0


def _given(head: Head, passes: Passes, case: str) -> dict[str, Any]:
    return {name: labels[case][head.name] for name, labels in passes.items() if head.name in labels.get(case, {})}


def _figures(head: Head, given: Sequence[Mapping[str, Any]], names: Sequence[str]) -> HeadAgreement:
    pairs = []
    for one, other in combinations(names, 2):
        both = [(labels[one], labels[other]) for labels in given if one in labels and other in labels]
        if both:
            left, right = map(list, zip(*both, strict=True))
            pairs.append((left, right))
    figure = metrics.multi_label_f1 if head.kind == "multi" else metrics.kappa
    plain = head.model_copy(update={"kind": "single"})
    unweighted = float("nan")
    if head.kind != "multi":
        unweighted = metrics.mean_of_measured(metrics.kappa(plain, left, right) for left, right in pairs)
    return HeadAgreement(
        cases=len(given),
        agreement=metrics.mean_of_measured(figure(head, left, right) for left, right in pairs),
        unweighted=unweighted,
        alpha=_alpha_of(head, given),
        same=fmean(_farthest(head, labels) == 0 for labels in given),
        labels={str(code): _of_label(head, code, pairs) for code in head.codes},
    )


def _alpha_of(head: Head, given: Sequence[Mapping[str, Any]]) -> float:
    known: dict[frozenset[Any], int] = {}
    units = [[known.setdefault(_set(head, value), len(known)) for value in labels.values()] for labels in given]
    values = list(known)
    power = 2 if head.kind == "ordered" else 1
    return alpha(units, np.array([[_distance(head, one, other) ** power for other in values] for one in values]))


def _of_label(head: Head, code: Any, pairs: Sequence[tuple[list[Any], list[Any]]]) -> tuple[int, float]:
    """How often a label was given, and specific agreement: the share of those that the other one gave as well."""
    given = shared = 0
    for left, right in pairs:
        for one, other in zip(left, right, strict=True):
            here, there = (code in _set(head, value) for value in (one, other))
            given += here + there
            shared += 2 * (here and there)
    return given, shared / given if given else float("nan")


def _farthest(head: Head, labels: Mapping[str, Any]) -> float:
    sets = [_set(head, value) for value in labels.values()]
    return max(_distance(head, one, other) for one, other in combinations(sets, 2))


def _set(head: Head, value: Any) -> frozenset[Any]:
    return frozenset(value if head.kind == "multi" else [value])


def _distance(head: Head, one: frozenset[Any], other: frozenset[Any]) -> float:
    """0 for the same, 1 for the farthest apart: steps between ordered labels, else one minus the share in common."""
    if head.kind == "ordered":
        (low,), (high,) = one, other
        return abs(head.index(low) - head.index(high)) / (len(head.labels) - 1)
    return 1 - len(one & other) / len(one | other) if one | other else 0.0

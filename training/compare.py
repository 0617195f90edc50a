"""Two models on the same cases: what the second gains over the first, and how surely."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from training.cases import LabelledCase
from training.evaluate import Answers, kind_of, slices_of
from training.metrics import bootstrap, calibration_error, f1_of_members, kappa_of_positions, members
from training.splits import kept_together
from triage.policy import Policy
from triage.taxonomy import Head, Taxonomy

Rows = NDArray[np.int64]
Figure = Callable[[Rows], float]
Both = Callable[[Rows], tuple[float, float]]
"""The same figure of model a and of model b, from row numbers; NaN where there is nothing to measure."""
_ROUNDS, _FEWER_ROUNDS = 1_000, 200
_SMALLEST_SLICE = 15
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Gain:
    """One figure of both models, and the interval `low` to `high` that the gain of b over a lies in.

    The interval comes from resampled groups (`training.splits.kept_together`), both models on the same sample. None
    where there is nothing to measure, or too few groups for an interval (`training.metrics.FEWEST_GROUPS`).
    """

    cases: int
    a: float | None
    b: float | None
    low: float | None
    high: float | None

    @property
    def gain(self) -> float:
        """What b has more than a; NaN if unknown."""
        return float("nan") if self.a is None or self.b is None else self.b - self.a


@dataclass(frozen=True, slots=True)
class Disagreement:
    """McNemar's exact test: cases that only one model has right, and how probable so uneven a split is by chance.

    It takes every case for itself: where cases of a group share their fate, `p` is too small.
    """

    only_a: int
    only_b: int
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What model b gains over model a, at 95 %.

    `mean` is the mean agreement over those `heads` that it can be measured of in both models; the intervals of the
    heads hold all together. `severe` has the recall and the precision of `severe_codes`, the tiers that the policy
    calls severe. `calibration` is the mean calibration error, of which less is better. `slices` maps slice and head to
    the gain there.
    """

    cases: int
    mean: Gain
    heads: Mapping[str, Gain]
    mcnemar: Mapping[str, Disagreement]
    severe_codes: tuple[str, ...]
    severe: Mapping[str, Gain]
    calibration: Gain
    slices: Mapping[tuple[str, str], Gain]


def compare(taxonomy: Taxonomy, policy: Policy, records: Sequence[LabelledCase], a: Answers, b: Answers) -> Comparison:
    """Compare the answers of two models to the same records; a head that no record has a label of is left out.

    The policy says which labels are severe.
    """
    known = {head: np.array([head.name in record.labels for record in records]) for head in taxonomy.heads}
    heads = [head for head, rows in known.items() if rows.any()]
    everything, groups = np.arange(len(records)), kept_together(records)
    agreement = {head: _both(*(_agreement(head, records, one) for one in (a, b))) for head in heads}
    errors = [_both(*(_calibration(head, records, one) for one in (a, b))) for head in heads if head.kind != "multi"]
    tiers = taxonomy.head(policy.tier_head)
    severe = _severe(tiers, policy, records, a, b) if tiers in heads else {}
    return Comparison(
        cases=len(records),
        mean=_gain(_mean(list(agreement.values())), everything, groups),
        heads={
            head.name: _gain(both, everything[known[head]], groups, level=1 - 0.05 / len(heads))
            for head, both in agreement.items()
        },
        mcnemar={head.name: _mcnemar(head, records, a, b) for head in heads},
        severe_codes=tuple(sorted(policy.severe)),
        severe={name: _gain(both, rows, groups) for name, (both, rows) in severe.items()},
        calibration=_gain(_mean(errors), everything, groups, _FEWER_ROUNDS),
        slices=_by_slice(records, agreement, known, groups),
    )


def _gain(both: Both, rows: Rows, groups: Rows, rounds: int = _ROUNDS, level: float = 0.95) -> Gain:
    """The gain on these rows; the interval is that of `level` over `rounds` samples of `groups` `[records]`."""

    def gained(sample: Rows) -> float:
        a, b = both(sample)
        return b - a

    return Gain(len(rows), *map(_known, (*both(rows), *bootstrap([rows], gained, groups[rows], rounds, level))))


def _both(a: Figure, b: Figure) -> Both:
    return lambda rows: (a(rows), b(rows))


def _mean(figures: Sequence[Both]) -> Both:
    """The mean of several figures; one that is NaN on a sample for either model is left out there for both."""

    def mean(rows: Rows) -> tuple[float, float]:
        pairs = [pair for pair in (both(rows) for both in figures) if not np.isnan(pair).any()]
        a, b = np.mean(pairs, axis=0) if pairs else (float("nan"), float("nan"))
        return float(a), float(b)

    return mean


def _agreement(head: Head, records: Sequence[LabelledCase], answers: Answers) -> Figure:
    """Kappa, or micro-F1 of a multi-label head; rows without a label of the head do not count."""
    return _f1(head, records, answers) if head.kind == "multi" else _kappa(head, records, answers)


def _f1(head: Head, records: Sequence[LabelledCase], answers: Answers) -> Figure:
    known = np.array([head.name in record.labels for record in records])
    wanted = members(head, [record.labels.get(head.name, []) for record in records])
    given = members(head, answers.labels[head.name])

    def f1(rows: Rows) -> float:
        rows = rows[known[rows]]
        return f1_of_members(wanted[rows], given[rows])

    return f1


def _kappa(head: Head, records: Sequence[LabelledCase], answers: Answers) -> Figure:
    wanted, given = _places(head, records, answers)

    def kappa(rows: Rows) -> float:
        rows = rows[wanted[rows] != _UNKNOWN]
        return kappa_of_positions(head, wanted[rows], given[rows])

    return kappa


def _calibration(head: Head, records: Sequence[LabelledCase], answers: Answers) -> Figure:
    wanted, given = _places(head, records, answers)
    confidence = answers.confidence[head.name]

    def error(rows: Rows) -> float:
        rows = rows[wanted[rows] != _UNKNOWN]
        return calibration_error(confidence[rows], wanted[rows] == given[rows])

    return error


def _severe(
    tiers: Head, policy: Policy, records: Sequence[LabelledCase], a: Answers, b: Answers
) -> dict[str, tuple[Both, Rows]]:
    """Of the severe cases those found, of the cases called severe those that are; each with the rows that count."""
    places = [place for place, code in enumerate(tiers.codes) if str(code) in policy.severe]
    wanted, given_a = _places(tiers, records, a)
    _, given_b = _places(tiers, records, b)
    is_severe, known = np.isin(wanted, places), wanted != _UNKNOWN
    called_a, called_b = (np.isin(given, places) & known for given in (given_a, given_b))

    def share(hits: NDArray[np.bool_], of: NDArray[np.bool_]) -> Figure:
        return lambda rows: float(hits[rows].sum() / total) if (total := of[rows].sum()) else float("nan")

    found_a, found_b = is_severe & called_a, is_severe & called_b
    return {
        "recall": (_both(share(found_a, is_severe), share(found_b, is_severe)), np.flatnonzero(is_severe)),
        "precision": (_both(share(found_a, called_a), share(found_b, called_b)), np.flatnonzero(called_a | called_b)),
    }


def _places(head: Head, records: Sequence[LabelledCase], answers: Answers) -> tuple[Rows, Rows]:
    """Positions of the labels wanted (`_UNKNOWN` where there is none) and of those given."""
    wanted = [head.index(r.labels[head.name]) if head.name in r.labels else _UNKNOWN for r in records]
    return np.array(wanted), np.array([head.index(code) for code in answers.labels[head.name]])


def _mcnemar(head: Head, records: Sequence[LabelledCase], a: Answers, b: Answers) -> Disagreement:
    """For a multi-label head a case is right if all its labels are."""
    rows = [row for row, record in enumerate(records) if head.name in record.labels]
    right_a, right_b = (
        np.array([_same(head, records[row], one.labels[head.name][row]) for row in rows]) for one in (a, b)
    )
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    p = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    return Disagreement(only_a, only_b, float(p))


def _same(head: Head, record: LabelledCase, given: object) -> bool:
    wanted = record.labels[head.name]
    if head.kind == "multi":
        return set(map(str, wanted)) == set(map(str, given))  # type: ignore[call-overload]
    return str(wanted) == str(given)


def _by_slice(
    records: Sequence[LabelledCase],
    agreement: Mapping[Head, Both],
    known: Mapping[Head, NDArray[np.bool_]],
    groups: Rows,
) -> dict[tuple[str, str], Gain]:
    members: dict[str, list[int]] = {}
    for row, record in enumerate(records):
        for name in (kind_of(record), *slices_of(record)):
            members.setdefault(name, []).append(row)
    found = {}
    for name, listed in sorted(members.items()):
        for head, both in agreement.items():
            rows = np.array(listed)[known[head][listed]]
            if len(rows) >= _SMALLEST_SLICE:
                found[name, head.name] = _gain(both, rows, groups, _FEWER_ROUNDS)
    return found


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

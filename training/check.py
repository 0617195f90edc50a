"""What should be known of labelled cases before training on them, as one report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from training.cases import LabelledCase, Reading
from training.similarity import Likeness, Neighbour, groups_of, is_same, likeness
from training.splits import customer, related, story, with_splits
from training.suspicious import suspicious
from triage.errors import InputError
from triage.normalise import normalise
from triage.privacy import find
from triage.taxonomy import Taxonomy

_QUANTILES = (0, 10, 50, 90, 99, 100)
_SHORT = 6
SAME_SOURCE: dict[str, Callable[[LabelledCase], Any]] = {
    "customer": customer,
    "pair": story,
    "id": lambda record: record.case.id,
}
"""What makes two cases belong together, beside their words: the cases of one value must be in one split."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Cases that belong together, by `reason`, and are in several splits."""

    reason: str
    ids: tuple[str, ...]
    splits: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """Everything that was found. Cases are named by id; no text and no identifier of a person is in it.

    `findings` counts what should be mended before training; the rest is to be known.
    """

    cases: int
    problems: list[str]
    unused: dict[str, int]
    splits: dict[str, int]
    channels: dict[str, int]
    heads: dict[str, dict[str, dict[str, int]]]
    few: list[str]
    length: dict[str, dict[str, float]]
    short: list[str]
    similarity: dict[str, float]
    repeated_ids: list[str]
    duplicates: list[dict[str, Any]]
    near_duplicates: list[dict[str, Any]]
    leaks: list[Leak]
    identifiers: dict[str, int]
    with_identifiers: list[str]
    suspicious: list[dict[str, Any]] = field(default_factory=list)
    not_judged: str = ""

    @property
    def findings(self) -> dict[str, int]:
        """How many of each kind that makes the check fail."""
        names = ("problems", "repeated_ids", "duplicates", "near_duplicates", "leaks")
        return {name: len(getattr(self, name)) for name in names if getattr(self, name)}

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "findings": self.findings}


def check(
    reading: Reading, taxonomy: Taxonomy, alike: float = 0.5, fewest: int = 20, judge_labels: bool = True
) -> Report:
    """Look at everything. `alike` makes near-duplicates, `fewest` cases make a label rare.

    InputError if no row could be read.
    """
    records = reading.records
    if not records:
        raise InputError("\n".join(["data: no row can be read", *reading.problems[:3]]))
    if any(record.split for record in records):
        records = with_splits(records)
    ids = [record.case.id for record in records]
    found = likeness(records, alike)
    same, near = ([pair for pair in found.pairs if is_same(pair) == wanted] for wanted in (True, False))
    heads = _label_counts(records, taxonomy)
    private = {row: kinds for row, record in enumerate(records) if (kinds := _identifiers(record))}
    report = Report(
        cases=len(records),
        problems=reading.problems,
        unused=dict(reading.unused),
        splits=dict(Counter(record.split for record in records)),
        channels=dict(Counter(record.case.channel for record in records)),
        heads=heads,
        few=[
            f"{head}={code}" for head, codes in heads.items() for code, n in codes.items() if sum(n.values()) < fewest
        ],
        length={
            "characters": _quantiles([_characters(record) for record in records]),
            "turns": _quantiles([len(record.case.turns) for record in records if record.case.turns]),
        },
        short=[record.case.id for record in records if _characters(record) < _SHORT],
        similarity=_quantiles([one.similarity for one in found.nearest]),
        repeated_ids=[given for given, count in Counter(ids).items() if count > 1],
        duplicates=[_pair(records, pair, taxonomy) for pair in same],
        near_duplicates=[_pair(records, pair, taxonomy) for pair in near],
        leaks=leaks(records, found),
        identifiers=dict(sum(private.values(), Counter[str]())),
        with_identifiers=[ids[row] for row in private],
    )
    if judge_labels:
        _judge(report, records, taxonomy, found)
    else:
        report.not_judged = "Labels were not judged."
    return report


def leaks(records: Sequence[LabelledCase], found: Likeness) -> list[Leak]:
    """Customers, pairs, ids and near-duplicates that are on more than one side."""
    leaks = []
    for reason, key_of in SAME_SOURCE.items():
        together = defaultdict(list)
        for record in records:
            if key := key_of(record):
                together[key].append(record)
        leaks += _leaks(reason, together.values())
    alike = defaultdict(list)
    for record, group in zip(records, groups_of(len(records), found.pairs), strict=True):
        alike[group].append(record)
    return leaks + _leaks("near-duplicate", alike.values())


def _leaks(reason: str, groups: Iterable[Sequence[LabelledCase]]) -> list[Leak]:
    found = []
    for group in groups:
        splits = sorted({record.split for record in group})
        if len(splits) > 1:
            found.append(Leak(reason, tuple(record.case.id for record in group), tuple(splits)))
    return found


def _judge(report: Report, records: Sequence[LabelledCase], taxonomy: Taxonomy, found: Likeness) -> None:
    try:
        doubts = suspicious(records, taxonomy, related(records, found, SAME_SOURCE.values()))
    except (InputError, ValueError) as error:
        report.not_judged = f"too few cases to judge labels: {error}"
        return
    report.suspicious = [{**asdict(one), "record": records[one.record].case.id} for one in doubts]


def _label_counts(records: Sequence[LabelledCase], taxonomy: Taxonomy) -> dict[str, dict[str, dict[str, int]]]:
    """Head, code, split: number of cases."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for head in taxonomy.heads:
        counts[head.name] = {str(code): {} for code in head.codes}
        for record in records:
            given = record.labels.get(head.name, [])
            for code in given if head.kind == "multi" else [given] if head.name in record.labels else []:
                row = counts[head.name][str(code)]
                row[record.split] = row.get(record.split, 0) + 1
    return counts


def _pair(records: Sequence[LabelledCase], pair: Neighbour, taxonomy: Taxonomy) -> dict[str, Any]:
    one, other = records[pair.record], records[pair.other]
    both = [head.name for head in taxonomy.heads if head.name in one.labels and head.name in other.labels]
    return {
        "ids": [one.case.id, other.case.id],
        "similarity": round(pair.similarity, 3),
        "across_splits": one.split != other.split,
        "labels_differ": [name for name in both if one.labels[name] != other.labels[name]],
    }


def _identifiers(record: LabelledCase) -> Counter[str]:
    said = (normalise(utterance.text).text for utterance in record.case.utterances())
    return Counter(span.kind for text in said for span in find(text))


def _characters(record: LabelledCase) -> int:
    return sum(len(utterance.text.strip()) for utterance in record.case.utterances())


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    return {f"{share} %": round(float(np.percentile(values, share)), 3) for share in _QUANTILES}

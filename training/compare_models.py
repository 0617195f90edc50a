"""Two model folders on labelled files: answers, speed, comparison and verdict in one record that goes to JSON."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.cases import LabelledCase, short_names
from training.compare import Comparison, compare
from training.evaluate import Answers, answers_of_triager
from training.misses import Miss, severe_misses
from training.verdict import Verdict, judge
from triage.artefact import sha256
from triage.errors import InputError
from triage.in_use import digest_of
from triage.taxonomy import Taxonomy
from triage.triager import Triager

_TIMED_ALONE = 40


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two models: what it is, and how fast it was here (whole pipeline, batches and single calls)."""

    folder: str
    name: str
    version: str
    digest: str
    cases_per_second: float
    milliseconds_alone: float


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Everything `triage compare` says. `data` maps the labelled files to their SHA-256."""

    a: Side
    b: Side
    data: dict[str, str]
    split: str
    comparison: Comparison
    verdict: Verdict
    misses: list[Miss]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        record = asdict(self)
        slices = self.comparison.slices.items()
        record["comparison"]["slices"] = [
            {"slice": name, "head": head, **asdict(gain)} for (name, head), gain in slices
        ]
        return record


def compare_models(
    a: Path,
    b: Path,
    files: Sequence[Path],
    records: Sequence[LabelledCase],
    split: str,
    margin: float,
    policy: Path | None = None,
) -> SideBySide:
    """Compare two model folders on records, each with its whole pipeline under the same policy.

    Raises InputError if there is no record or the label sets differ.
    """
    if not records:
        raise InputError("cases: no record of the split asked for")
    sides = [Triager.load(folder, policy) for folder in (a, b)]
    check_same_labels(sides[0].taxonomy, sides[1].taxonomy)
    taxonomy, rules = sides[0].taxonomy, sides[0].policy
    (answers_a, side_a), (answers_b, side_b) = (_answers(triager, records) for triager in sides)
    comparison = compare(taxonomy, rules, records, answers_a, answers_b)
    return SideBySide(
        side_a,
        side_b,
        {name: sha256(file) for file, name in short_names(files).items()},
        split,
        comparison,
        judge(comparison, margin),
        severe_misses(rules, records, answers_a, answers_b),
    )


def check_same_labels(a: Taxonomy, b: Taxonomy) -> None:
    """InputError unless both have the same heads with the same labels in the same order."""
    labels = [{head.name: (head.kind, list(map(str, head.codes))) for head in one.heads} for one in (a, b)]
    if labels[0] != labels[1]:
        differ = sorted(
            name for name in labels[0].keys() | labels[1].keys() if labels[0].get(name) != labels[1].get(name)
        )
        raise InputError(f"models: both must have the same labels; {a.id} and {b.id} differ in {', '.join(differ)}")


def _answers(triager: Triager, records: Sequence[LabelledCase]) -> tuple[Answers, Side]:
    alone = []
    for record in records[:_TIMED_ALONE]:
        started = time.perf_counter()
        triager(record.case)
        alone.append(time.perf_counter() - started)
    started = time.perf_counter()
    answers = answers_of_triager(triager, records)
    rate = len(records) / (time.perf_counter() - started)
    artefact = triager.artefact
    return answers, Side(
        str(artefact.folder),
        artefact.manifest.name,
        artefact.manifest.version,
        digest_of(artefact.folder),
        round(rate, 1),
        round(1000 * statistics.median(alone), 2),
    )

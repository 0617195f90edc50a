"""The unlabelled cases that may be labelled next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.cases import LabelledCase, is_made_up, plain_words
from training.evaluate import in_labels
from training.similarity import customer_words, likeness
from training.splits import customer, with_splits
from training.suggest import Scores, Suggestion, scores_of, suggest
from triage.batch.read import find_inputs, open_sources, read_rows
from triage.case import Case, Turn
from triage.errors import InputError
from triage.privacy import mask_text
from triage.result import RowError
from triage.taxonomy import Taxonomy
from triage.triager import Triager


@dataclass(slots=True)
class Choice:
    """The cases that could be triaged, in the order of the files, which of them to label, and the rows that failed."""

    cases: list[Case] = field(default_factory=list)
    chosen: list[Suggestion] = field(default_factory=list)
    failed: list[RowError] = field(default_factory=list)


def choose(triager: Triager, pool: Sequence[Path], labelled: Sequence[LabelledCase], count: int) -> Choice:
    """Triage the pool and suggest `count` of it: no words twice, and no words or id that are labelled already.

    Nor what belongs together with dev or test cases, by its customer or as a near-duplicate: it is suggested for
    training. An id made up for a row without one says nothing. InputError if nothing is left to choose from.
    """
    choice = Choice()
    measured = [record for record in with_splits(labelled) if record.split != "train"]
    cases = _unlike(list(_new(pool, labelled, measured, choice.failed)), measured)
    results = []
    for case, answer in zip(cases, in_labels(triager).pipe(cases), strict=True):
        if isinstance(answer, RowError):
            choice.failed.append(answer)
        else:
            choice.cases.append(case)
            results.append(answer)
    if not results:
        raise InputError("pool: no case is left that could be labelled; all are labelled already, or cannot be read")
    words = [_words(case) for case in choice.cases]
    scores = scores_of(results, triager.taxonomy)
    known = label_counts(labelled, triager.taxonomy)
    choice.chosen = suggest(words, scores, triager.taxonomy, count, known, triager.policy)
    return choice


def _new(
    pool: Sequence[Path], labelled: Sequence[LabelledCase], measured: Sequence[LabelledCase], failed: list[RowError]
) -> Iterator[Case]:
    """The cases not labelled yet, none twice and none of a `measured` customer; rows that fail go to `failed`."""
    customers = {customer(record) for record in measured} - {None}
    ids = {record.case.id for record in labelled}
    seen = {plain_words(_words(record.case)) for record in labelled}
    for row in read_rows(open_sources(find_inputs(pool), {})):
        if isinstance(row, RowError):
            failed.append(row)
            continue
        known = row.id in ids and not is_made_up(row.id)
        said = plain_words(_words(row))
        if not (known or said in seen or row.customer_key in customers):
            seen.add(said)
            yield row


def _unlike(cases: Sequence[Case], measured: Sequence[LabelledCase]) -> list[Case]:
    """The cases that are near-duplicates of none of the `measured`."""
    if not measured:
        return list(cases)
    sides = [_of_side("measured", record.case) for record in measured] + [_of_side("pool", case) for case in cases]
    alike = {pair.other - len(measured) for pair in likeness(sides).pairs}
    return [case for place, case in enumerate(cases) if place not in alike]


def _of_side(name: str, case: Case) -> LabelledCase:
    """The customer's words, masked as in a labelled file, and to be compared with those of the other side alone."""
    said = Turn(speaker="customer", text=mask_text(_words(case)))
    return LabelledCase(case.model_copy(update={"text": None, "turns": (said,)}), {}, extra={"pair": name})


def label_counts(records: Sequence[LabelledCase], taxonomy: Taxonomy) -> dict[str, Scores] | None:
    """How many cases have each label, by single-label head; None without cases. Labels unknown to it do not count."""
    if not records:
        return None
    counts = {}
    for head in taxonomy.heads:
        if head.kind != "multi":
            codes = list(map(str, head.codes))
            labels = [str(record.labels[head.name]) for record in records if head.name in record.labels]
            given = [codes.index(label) for label in labels if label in codes]
            counts[head.name] = np.bincount(np.array(given, dtype=int), minlength=len(head.labels)).astype(float)
    return counts


def _words(case: Case) -> str:
    return customer_words(LabelledCase(case, {}))

"""The unlabelled cases that may be labelled next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.cases import LabelledCase, plain_words
from training.similarity import customer_words
from training.splits import customer, with_splits
from training.suggest import Scores, Suggestion, scores_of, suggest
from triage.batch.read import find_inputs, open_sources, read_rows
from triage.case import Case
from triage.errors import InputError
from triage.result import RowError
from triage.taxonomy import Taxonomy
from triage.triager import Triager

_MADE_UP = re.compile(r"(?:.+:)?row-\d+")  # the id that a reader gives to a row without one


@dataclass(slots=True)
class Choice:
    """The cases that could be triaged, in the order of the files, which of them to label, and the rows that failed."""

    cases: list[Case] = field(default_factory=list)
    chosen: list[Suggestion] = field(default_factory=list)
    failed: list[RowError] = field(default_factory=list)


def choose(triager: Triager, pool: Sequence[Path], labelled: Sequence[LabelledCase], count: int) -> Choice:
    """Triage the pool and suggest `count` of it: no words twice, and no words or id that are labelled already.

    Nor a customer of whom cases are dev or test, who would be drawn to training with what is suggested. An id made up
    for a row without one says nothing. InputError if nothing is left to choose from.
    """
    choice = Choice()
    measured = {customer(record) for record in with_splits(labelled) if record.split != "train"} - {None}
    ids = {record.case.id for record in labelled}
    seen = {plain_words(_words(record.case)) for record in labelled}
    cases = []
    for row in read_rows(open_sources(find_inputs(pool), {})):
        if isinstance(row, RowError):
            choice.failed.append(row)
            continue
        known = row.id in ids and not _MADE_UP.fullmatch(row.id)
        said = plain_words(_words(row))
        if not (known or said in seen or row.customer_key in measured):
            seen.add(said)
            cases.append(row)
    results = []
    for case, answer in zip(cases, triager.pipe(cases), strict=True):
        if isinstance(answer, RowError):
            choice.failed.append(answer)
        else:
            choice.cases.append(case)
            results.append(answer)
    if not results:
        raise InputError("pool: no case is left that could be labelled; all are labelled already, or cannot be read")
    words = [_words(case) for case in choice.cases]
    scores = scores_of(results, triager.taxonomy)
    choice.chosen = suggest(words, scores, triager.taxonomy, count, label_counts(labelled, triager.taxonomy))
    return choice


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

"""Which cases are learnt from, chosen on and tested on: by the files, else by hash of whole groups."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from training.cases import LabelledCase, find_labelled, read_cases
from training.similarity import Neighbour, customer_words, groups_of, likeness
from triage.errors import InputError
from triage.taxonomy import Taxonomy

DEV, TEST = 0.15, 0.15


def read_split(paths: Sequence[Path], taxonomy: Taxonomy, split: str) -> tuple[list[Path], list[LabelledCase]]:
    """The labelled files below `paths`, and their records of one split (or `all`); InputError if there is none."""
    files = find_labelled(paths)
    return files, in_split(with_splits(read_cases(files, taxonomy)), split)


def in_split(records: Sequence[LabelledCase], split: str) -> list[LabelledCase]:
    """The records of a split (or `all`); InputError, naming the splits there are, if there is none."""
    chosen = [record for record in records if split in ("all", record.split)]
    if not chosen:
        there = ", ".join(f"{name} {count}" for name, count in sorted(Counter(r.split for r in records).items()))
        raise InputError(f"cases: no record of split {split!r}; there are {there or 'no records'}")
    return chosen


def with_splits(records: Sequence[LabelledCase]) -> list[LabelledCase]:
    """The records, each with a split. Where none names one, whole groups go by hash: 15 % dev, 15 % test.

    Where only some name one, the others are for training. A group is a customer, a story (`pair`) or near-duplicates;
    its hash is that of its words, so the split does not change with the order or the number of the records.
    """
    if any(record.split for record in records):
        return [record if record.split else replace(record, split="train") for record in records]
    hashes = [hashlib.sha256(customer_words(record).encode()).hexdigest() for record in records]
    groups = group_numbers(records)
    first: dict[int, str] = {}
    for group, own in zip(groups, hashes, strict=True):
        first[group] = min(own, first.get(group, own))
    return [replace(record, split=_side(first[group])) for record, group in zip(records, groups, strict=True)]


def group_numbers(records: Sequence[LabelledCase]) -> list[int]:
    """A number a record, the same for records that must be on one side."""
    links = [*likeness(records).pairs]
    latest: dict[tuple[str, str], int] = {}
    for row, record in enumerate(records):
        for kind, key in (("customer", record.case.customer_key), ("story", record.extra.get("pair"))):
            if key:
                links.append(Neighbour(row, latest.get((kind, key), row), 1.0))
                latest[kind, key] = row
    return [int(number) for number in groups_of(len(records), links)]


def _side(digest: str) -> str:
    share = int(digest[:12], 16) / 16**12
    return "test" if share < TEST else "dev" if share < TEST + DEV else "train"

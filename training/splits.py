"""Which cases are learnt from, chosen on and tested on: by the files, else by hash of whole groups."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.cases import LabelledCase, find_labelled, read_cases
from training.similarity import Likeness, Neighbour, customer_words, groups_of, likeness
from triage.errors import InputError
from triage.taxonomy import Taxonomy

DEV, TEST = 0.15, 0.15


def customer(record: LabelledCase) -> str | None:
    """Whose case it is."""
    return record.case.customer_key


def story(record: LabelledCase) -> str | None:
    """The plot that a written case shares with its pair."""
    pair: str | None = record.extra.get("pair")
    return pair


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
    groups = related(records, likeness(records), (customer, story)).tolist()
    first: dict[int, str] = {}
    for group, own in zip(groups, hashes, strict=True):
        first[group] = min(own, first.get(group, own))
    return [replace(record, split=_side(first[group])) for record, group in zip(records, groups, strict=True)]


def related(
    records: Sequence[LabelledCase], found: Likeness, keys: Iterable[Callable[[LabelledCase], Any]] = ()
) -> NDArray[np.int64]:
    """A number a record, the same for all that belong together: alike in words, or with a key of the same value."""
    links = list(found.pairs)
    for key_of in keys:
        first: dict[Any, int] = {}
        for row, record in enumerate(records):
            if (key := key_of(record)) and first.setdefault(key, row) != row:
                links.append(Neighbour(first[key], row, 1.0))
    return groups_of(len(records), links)


def _side(digest: str) -> str:
    share = int(digest[:12], 16) / 16**12
    return "test" if share < TEST else "dev" if share < TEST + DEV else "train"

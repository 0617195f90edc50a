"""Which cases are learnt from, chosen on and tested on: by the files, else by hash of whole groups."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.cases import LabelledCase, find_labelled, read_cases
from training.label_values import strictest
from training.similarity import Likeness, Neighbour, customer_words, groups_of, likeness
from triage.errors import InputError
from triage.taxonomy import Taxonomy

log = logging.getLogger(__name__)
DEV, TEST = 0.15, 0.15


@dataclass(frozen=True, slots=True)
class Splits:
    """The records by what they are for."""

    train: list[LabelledCase]
    dev: list[LabelledCase]
    test: list[LabelledCase]

    @classmethod
    def of(cls, records: Sequence[LabelledCase]) -> Splits:
        """Records that have their splits; others than these three are left out."""
        return cls(*([record for record in records if record.split == split] for split in ("train", "dev", "test")))

    def check(self, taxonomy: Taxonomy) -> None:
        """InputError unless every head has two labels to learn from and a case to calibrate on."""
        for head in taxonomy.heads:
            known = [record.labels[head.name] for record in self.train if head.name in record.labels]
            seen = Counter(str(code) for value in known for code in (value if head.kind == "multi" else [value]))
            dev = sum(head.name in record.labels for record in self.dev)
            if len(seen) < 2 or not dev:
                raise InputError(
                    f"cases: {head.name} needs two labels in training and a dev case, or leave the head out of the "
                    f"taxonomy file; given {dict(seen)} and {dev} dev cases"
                )
            if missing := [str(code) for code in head.codes if str(code) not in seen]:
                log.warning("%s: no training case is %s", head.name, ", ".join(missing))


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
    """The records, each with a split: its own, else that of its group (see `kept_together`).

    A group has the strictest split that a record of it names: test, then dev. Where none does, it goes by hash: 15 %
    dev, 15 % test, the rest train; but none to test if records name test, and all to train if records name dev.
    """
    named = {record.split for record in records}
    if "" not in named:
        return list(records)
    free = set() if "dev" in named else {"dev", "test"} - named
    groups = kept_together(records).tolist()
    members: dict[int, list[LabelledCase]] = {}
    for group, record in zip(groups, records, strict=True):
        members.setdefault(group, []).append(record)
    sides = {
        group: strictest({record.split for record in inside}) or _drawn_side(inside, free)
        for group, inside in members.items()
    }
    return [
        record if record.split else replace(record, split=sides[group])
        for record, group in zip(records, groups, strict=True)
    ]


def kept_together(records: Sequence[LabelledCase]) -> NDArray[np.int64]:
    """A number a record `[records]`, the same for a customer, a story (`pair`) and near-duplicates."""
    return related(records, likeness(records), (customer, story))


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


def _drawn_side(group: Sequence[LabelledCase], free: Set[str]) -> str:
    """Drawn by the hash of one customer, else one story, else one wording; train if the side drawn is not free.

    The end of the hash says which one, the beginning the side: chances do not grow with the size of the group.
    """
    customers, stories = ({key for record in group if (key := key_of(record))} for key_of in (customer, story))
    names = customers or stories or {customer_words(record) for record in group}
    digest = min((hashlib.sha256(str(name).encode()).hexdigest() for name in names), key=lambda digest: digest[12:])
    share = int(digest[:12], 16) / 16**12
    side = "test" if share < TEST else "dev" if share < TEST + DEV else "train"
    return side if side in free else "train"

"""Rows in shards of equal size: the unit that is shared out, kept in the journal, and done again after a crash."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Protocol

from triage.batch.journal import Answer, Journal
from triage.batch.marked import mask_result
from triage.batch.read import fraction_read, read_rows
from triage.batch.rows import Row
from triage.batch.table import Source
from triage.case import Case
from triage.policy import Policy
from triage.result import RowError, TriageResult
from triage.taxonomy import Taxonomy

_BATCHES_A_SHARD = 8


class CaseTriager(Protocol):
    """What scoring needs of a triager. Under the same `digest` a case has the same answer."""

    @property
    def taxonomy(self) -> Taxonomy: ...

    @property
    def policy(self) -> Policy: ...

    @property
    def info(self) -> dict[str, Any]: ...

    @property
    def digest(self) -> str: ...

    def pipe(self, cases: Iterable[Case], batch_size: int = 64) -> Iterator[TriageResult | RowError]: ...


class Loader(Protocol):
    """Loads the triager in another process; what it holds is names of files, not the model."""

    def __call__(self) -> CaseTriager: ...


@dataclass(frozen=True, slots=True)
class Shard:
    """Rows that belong together. `fraction` is how much of the input had been read when they were."""

    number: int
    rows: Sequence[Row]
    fraction: float


@dataclass(frozen=True, slots=True)
class Shards:
    """The rows of the sources in shards of `8 * batch_size`; each iteration reads the sources anew."""

    sources: Sequence[Source]
    batch_size: int = 64

    def __iter__(self) -> Iterator[Shard]:
        rows = read_rows(self.sources)
        for number in count():
            taken = list(islice(rows, self.batch_size * _BATCHES_A_SHARD))
            if not taken:
                return
            yield Shard(number, taken, fraction_read(self.sources))


Answered = tuple[Shard, Sequence[Answer]]


class Engine(Protocol):
    """Gets the answers of all shards into the journal, and hands them out in order with their rows."""

    def __call__(self, shards: Shards, journal: Journal) -> Generator[Answered]: ...


def answer_shard(triager: CaseTriager, number: int, rows: Sequence[Row], batch_size: int, journal: Journal) -> None:
    """Triage the rows of a shard into the journal: an answer a row, masked; a row that could not be read stays."""
    answers = triager.pipe([row for row in rows if isinstance(row, Case)], batch_size)
    journal.write(number, [_presentable(row, answers) if isinstance(row, Case) else row for row in rows])


def _presentable(case: Case, answers: Iterator[Answer]) -> Answer:
    answer = next(answers)
    return mask_result(case, answer) if isinstance(answer, TriageResult) else answer

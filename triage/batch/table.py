"""What every reader of files offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from triage.batch.rows import Record, Row


class Source(Protocol):
    """An input that has been looked at. Iterating reads its rows; `fraction` says how far that has come."""

    path: Path
    size: int
    fraction: float

    def __iter__(self) -> Iterator[Row]: ...


class Table(Source, Protocol):
    """A file of records: `headers` as they stand in it, `columns` those that were recognised, by field."""

    @property
    def headers(self) -> Sequence[str]: ...

    @property
    def columns(self) -> Mapping[str, str]: ...

    def records(self) -> Iterator[Record]: ...

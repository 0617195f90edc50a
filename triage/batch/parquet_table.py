"""Parquet: one contact or one turn a row. Streamed; columns that say nothing to us are not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from triage.batch.columns import require_columns
from triage.batch.rows import Record, Row, record_of_cells, row_of_cells
from triage.errors import InputError

_ROWS_AT_ONCE = 256
_BUFFER_BYTES = 1 << 20


class ParquetTable:
    """The rows of a Parquet file. `columns` are its column names by field; `fraction` says how much has been read."""

    def __init__(self, path: Path, mapping: Mapping[str, str], prefix: str = ""):
        self.path = path
        self.size = max(1, path.stat().st_size)
        self.fraction = 0.0
        self._prefix = prefix
        with _opened(path) as file:
            self.headers = list(file.schema_arrow.names)
            self._rows = file.metadata.num_rows
        places = require_columns(str(path), self.headers, mapping)
        self.columns = {field: self.headers[place] for field, place in places.items()}
        if not self._rows:
            raise InputError(f"{path}: the file has columns and no rows")

    def __iter__(self) -> Iterator[Row]:
        return map(row_of_cells, self.records())

    def records(self) -> Iterator[Record]:
        """The records of the file, in order."""
        places = {field: place for place, field in enumerate(self.columns)}
        number = 0
        with _opened(self.path) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(self.columns.values())):
                for values in zip(*(batch[name].to_pylist() for name in self.columns.values()), strict=True):
                    number += 1
                    self.fraction = number / self._rows
                    yield record_of_cells(values, places, f"{self._prefix}row-{number}", number)


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """The file, read through a small buffer whatever the size of its row groups."""
    try:
        with pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
            yield file
    except pa.ArrowException as error:
        raise InputError(f"{path}: not a readable Parquet file: {type(error).__name__}") from None

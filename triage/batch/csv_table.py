"""CSV and TSV: one contact or one turn a row, under a header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from triage.batch.columns import FindColumns, require_columns
from triage.batch.encoding import bounded_lines, detect_encoding, open_text
from triage.batch.rows import Record, Row, record_of_cells, row_of_cells
from triage.errors import InputError

_DELIMITERS = ",\t;"


class CsvTable:
    """The rows of a CSV or TSV file. `columns` are the headers by field; `fraction` says how much has been read."""

    def __init__(
        self, path: Path, mapping: Mapping[str, str], prefix: str = "", find_columns: FindColumns = require_columns
    ):
        self.path = path
        self.size = max(1, path.stat().st_size)
        self.fraction = 0.0
        self._prefix = prefix
        self._encoding = detect_encoding(path)
        with open_text(path, self._encoding) as stream:
            line = next(bounded_lines(stream), "")
        self._delimiter = max(_DELIMITERS, key=lambda mark: len(_cells(line, mark)))
        with open_text(path, self._encoding) as stream:
            records = self._records(bounded_lines(stream))
            header = next(records, [])
            if isinstance(header, csv.Error):
                raise InputError(f"{path}: the header line is not valid CSV: {header}")
            if not any(header):
                raise InputError(f"{path}: the file is empty; a header line and rows are needed")
            self._width = len(header)
            self._places = find_columns(str(path), header, mapping)
            self.headers = header
            self.columns = {field: header[place] for field, place in self._places.items()}
            if not any(isinstance(record, csv.Error) or any(record) for record in records):
                raise InputError(f"{path}: the file has a header and no rows")

    def __iter__(self) -> Iterator[Row]:
        return map(row_of_cells, self.records())

    def records(self) -> Iterator[Record]:
        """The records of the file, in order; blank ones are left out."""
        with open_text(self.path, self._encoding) as stream:
            records = self._records(bounded_lines(stream))
            next(records)
            for number, record in enumerate(records, start=1):
                self.fraction = stream.buffer.tell() / self.size
                if isinstance(record, csv.Error) or any(record):
                    yield self._record(record, number)

    def _record(self, cells: list[str] | csv.Error, number: int) -> Record:
        fallback_id = f"{self._prefix}row-{number}"
        if isinstance(cells, csv.Error):
            return Record(fallback_id, {}, f"not valid CSV: {cells}", number)
        record = record_of_cells(cells, self._places, fallback_id, number)
        if any(cells[self._width :]):
            detail = f"at most {self._width} cells are allowed, given {len(cells)}; quote text that holds the delimiter"
            return replace(record, problem=detail)
        return record

    def _records(self, lines: Iterable[str]) -> Iterator[list[str] | csv.Error]:
        """Records; where one cannot be read its error, and the reader goes on with the next line."""
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        while True:
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield error


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])

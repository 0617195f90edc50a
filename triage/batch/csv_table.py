"""CSV and TSV: one contact or one turn a row, under a header."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from triage.batch.columns import FindColumns, find_header, require_columns
from triage.batch.encoding import MAX_LINE, bounded_lines, detect_encoding, open_text
from triage.batch.rows import Record, Row, record_of_cells, row_of_cells
from triage.errors import InputError

_DELIMITERS = ",\t;|"
csv.field_size_limit(MAX_LINE)  # of the whole process; a cell of so many characters is an error of its row


class CsvTable:
    """The rows of a CSV or TSV file. `columns` are the headers by field; `fraction` says how much has been read."""

    def __init__(
        self, path: Path, mapping: Mapping[str, str], prefix: str = "", find_columns: FindColumns = require_columns
    ):
        self.path = path
        self.size = max(1, path.stat().st_size)
        self.fraction = 0.0
        self.headers: list[str] = []
        self._prefix = prefix
        self._encoding = detect_encoding(path)
        with open_text(path, self._encoding) as stream:
            line = next(bounded_lines(stream), "")
        self._delimiter = max(_DELIMITERS, key=lambda mark: len(_cells(line, mark)))
        with open_text(path, self._encoding) as stream:
            records = self._records(bounded_lines(stream))
            self._above, self.headers, self._places = find_header(
                str(path), self._names(records), mapping, find_columns
            )
            self.columns = {field: self.headers[place] for field, place in self._places.items()}
            if not any(isinstance(record, csv.Error) or any(record) for record in records):
                raise InputError(f"{path}: the file has a header and no rows")

    def __iter__(self) -> Iterator[Row]:
        return map(row_of_cells, self.records())

    def records(self) -> Iterator[Record]:
        """The records of the file, in order; blank ones are left out."""
        with open_text(self.path, self._encoding) as stream:
            records = self._records(bounded_lines(stream))
            for number, record in enumerate(islice(records, self._above + 1, None), start=1):
                self.fraction = stream.buffer.tell() / self.size
                if isinstance(record, csv.Error) or any(record):
                    yield self._record(record, number)

    def _record(self, cells: list[str] | csv.Error, number: int) -> Record:
        fallback_id = f"{self._prefix}row-{number}"
        if isinstance(cells, csv.Error):
            return Record(fallback_id, {}, f"not valid CSV: {cells}", number)
        record = record_of_cells(cells, self._places, fallback_id, number)
        width = len(self.headers)
        if any(cells[width:]):
            detail = f"at most {width} cells are allowed, given {len(cells)}; quote text that holds the delimiter"
            return replace(record, problem=detail)
        return record

    def _names(self, records: Iterable[list[str] | csv.Error]) -> Iterator[list[str]]:
        for record in records:
            if isinstance(record, csv.Error):
                raise InputError(f"{self.path}: the header line is not valid CSV: {record}")
            yield record

    def _records(self, lines: Iterable[str]) -> Iterator[list[str] | csv.Error]:
        """Records; where one cannot be read its error, and the reader goes on with the line below its first.

        So a quote that is never closed costs one row, and not all that follow. What may as well be the rest of a cell
        (it has not the cells of a row) is an error too.
        """
        source = _Lines(lines)
        reader = csv.reader(source, delimiter=self._delimiter, strict=True)
        while True:
            source.begin()
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                source.back()
                yield error
            else:
                whole = not source.again or not any(record) or len(record) == len(self.headers)
                yield record if whole else csv.Error("part of a record that cannot be read")


class _Lines:
    """Lines of a file, of which those of the record at hand can be read again. `again`: it began with such a line."""

    def __init__(self, lines: Iterable[str]):
        self._lines = iter(lines)
        self._waiting: deque[str] = deque()
        self._taken: list[str] = []
        self.again = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self._taken.append(line)
        return line

    def begin(self) -> None:
        """A record begins."""
        self._taken.clear()
        self.again = bool(self._waiting)

    def back(self) -> None:
        """Go back to the second line of the record."""
        self._waiting.extendleft(reversed(self._taken[1:]))


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])

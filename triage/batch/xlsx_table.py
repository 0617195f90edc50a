"""XLSX: one contact or one turn a row, under a header."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook

from triage.batch.cells import cell_text
from triage.batch.columns import FindColumns, require_columns
from triage.batch.rows import Record, Row, record_of_cells, row_of_cells
from triage.errors import InputError

_BROKEN_XLSX = (zipfile.BadZipFile, KeyError, ValueError, EOFError, ParseError, TypeError, AttributeError)


class XlsxTable:
    """The rows of the first worksheet that has a column of words. `columns` are the headers by field."""

    def __init__(
        self, path: Path, mapping: Mapping[str, str], prefix: str = "", find_columns: FindColumns = require_columns
    ):
        self.path = path
        self.size = max(1, path.stat().st_size)
        self.fraction = 0.0
        self._prefix = prefix
        with _opened(path) as book:
            self._sheet, self.headers, self._places = _sheet_with_words(path, book, mapping, find_columns)
            self.columns = {field: self.headers[place] for field, place in self._places.items()}
            records = _records(path, book, self._sheet)
            next(records)
            if not any(map(_has_value, records)):
                raise InputError(f"{path}: the sheet has a header and no rows")

    def __iter__(self) -> Iterator[Row]:
        return map(row_of_cells, self.records())

    def records(self) -> Iterator[Record]:
        """The records of the sheet, in order; blank ones are left out."""
        with _opened(self.path) as book:
            length = book.worksheets[self._sheet].max_row or 1
            for number, cells in enumerate(_records(self.path, book, self._sheet)):
                self.fraction = min(1.0, number / length)
                if number and _has_value(cells):
                    yield record_of_cells(cells, self._places, f"{self._prefix}row-{number}", number)


@contextmanager
def _opened(path: Path) -> Iterator[Workbook]:
    """The workbook, open for streaming."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(path, read_only=True, data_only=True)
    except _BROKEN_XLSX as error:
        raise _unreadable(path, error) from None
    try:
        yield book
    finally:
        book.close()


def _records(path: Path, book: Workbook, position: int) -> Iterator[tuple[object, ...]]:
    """All records of a sheet. The dimensions that the file claims are not trusted: some exporters write nonsense."""
    sheet = book.worksheets[position]
    try:
        sheet.reset_dimensions()
        yield from sheet.iter_rows(values_only=True)
    except _BROKEN_XLSX as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: not a readable XLSX file (damaged, or protected by a password): {error}")


def _has_value(cells: tuple[object, ...]) -> bool:
    return any(cell is not None for cell in cells)


def _sheet_with_words(
    path: Path, book: Workbook, mapping: Mapping[str, str], find_columns: FindColumns
) -> tuple[int, list[str], dict[str, int]]:
    problems = []
    for position, sheet in enumerate(book.worksheets):
        header = [cell_text(value).strip() for value in next(_records(path, book, position), ())]
        try:
            return position, header, find_columns(f"{path}, sheet {sheet.title!r}", header, mapping)
        except InputError as problem:
            problems.append(problem)
    raise problems[0] if problems else InputError(f"{path}: the workbook has no worksheet")

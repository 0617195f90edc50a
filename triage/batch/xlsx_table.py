"""XLSX: one contact or one turn a row, under a header."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook

from triage.batch.cells import cell_text
from triage.batch.columns import FindColumns, find_header, require_columns
from triage.batch.rows import Record, Row, record_of_cells, row_of_cells
from triage.errors import InputError

_BROKEN_XLSX = (zipfile.BadZipFile, KeyError, ValueError, EOFError, ParseError, TypeError, AttributeError)


class XlsxTable:
    """The rows of the worksheets that have a column of words, under one and the same header.

    `columns` are the headers by field.
    """

    def __init__(
        self, path: Path, mapping: Mapping[str, str], prefix: str = "", find_columns: FindColumns = require_columns
    ):
        self.path = path
        self.size = max(1, path.stat().st_size)
        self.fraction = 0.0
        self._prefix = prefix
        with _opened(path) as book:
            self._sheets, self.headers, self._places = _sheets_with_words(path, book, mapping, find_columns)
            self.columns = {field: self.headers[place] for field, place in self._places.items()}
            if not any(map(_has_value, self._rows(book))):
                raise InputError(f"{path}: the sheet has a header and no rows")

    def __iter__(self) -> Iterator[Row]:
        return map(row_of_cells, self.records())

    def records(self) -> Iterator[Record]:
        """The records of the sheets, in order; blank ones are left out."""
        with _opened(self.path) as book:
            claimed = sum((book.worksheets[sheet].max_row or 1) - above - 1 for sheet, above in self._sheets.items())
            length = max(1, claimed)
            for number, cells in enumerate(self._rows(book), start=1):
                self.fraction = min(1.0, number / length)
                if _has_value(cells):
                    yield record_of_cells(cells, self._places, f"{self._prefix}row-{number}", number)

    def _rows(self, book: Workbook) -> Iterator[tuple[object, ...]]:
        """What stands under the headers."""
        for sheet, above in self._sheets.items():
            yield from islice(_cells(self.path, book, sheet), above + 1, None)


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


def _cells(path: Path, book: Workbook, position: int) -> Iterator[tuple[object, ...]]:
    """All rows of a sheet. The dimensions that the file claims are not trusted: some exporters write nonsense."""
    sheet = book.worksheets[position]
    try:
        sheet.reset_dimensions()
        yield from sheet.iter_rows(values_only=True)
    except _BROKEN_XLSX as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: not a readable XLSX file (damaged, or protected by a password): {error}")


def _has_value(cells: Sequence[object]) -> bool:
    return any(cell is not None for cell in cells)


def _names(cells: Sequence[object]) -> list[str]:
    """A row as texts, without the blank cells at its end."""
    names = [cell_text(value).strip() for value in cells]
    return names[: max((place for place, name in enumerate(names, start=1) if name), default=0)]


def _sheets_with_words(
    path: Path, book: Workbook, mapping: Mapping[str, str], find_columns: FindColumns
) -> tuple[dict[int, int], list[str], dict[str, int]]:
    """Positions of the sheets, each with the number of rows above its header; the header, and the columns."""
    found: dict[int, tuple[int, list[str], dict[str, int]]] = {}
    problems = []
    for position, sheet in enumerate(book.worksheets):
        rows = map(_names, _cells(path, book, position))
        try:
            found[position] = find_header(f"{path}, sheet {sheet.title!r}", rows, mapping, find_columns)
        except InputError as problem:
            problems.append(problem)
    if not found:
        raise problems[0] if problems else InputError(f"{path}: the workbook has no worksheet")
    (first, (_, header, places)), *others = found.items()
    for position, (_, names, _) in others:
        if names != header:
            one, other = (book.worksheets[sheet].title for sheet in (first, position))
            raise InputError(
                f"{path}: sheets {one!r} and {other!r} both hold contacts, under different headers; save each as a file"
            )
    return {position: above for position, (above, _, _) in found.items()}, header, places

"""Answers to a JSONL, CSV, XLSX or Parquet file, in the order they come. The same answers make the same bytes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Protocol

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from triage.batch.flat import Value, flat_columns, outcome_row
from triage.batch.marked import printable
from triage.batch.tally import Outcome
from triage.batch.workbook import save
from triage.taxonomy import Taxonomy

WRITABLE = (".jsonl", ".ndjson", ".csv", ".xlsx", ".parquet")
_FORMULA_STARTS = tuple("=+-@\t\r\n" + "\uff1d\uff0b\uff0d\uff20")
_XLSX_ROWS = 1_048_576


class Writer(Protocol):
    """Takes outcomes until it is closed."""

    def write(self, outcome: Outcome) -> None: ...

    def close(self) -> None: ...


class JsonLinesWriter:
    """One JSON object a line: the contract, and the lapses of the agent."""

    def __init__(self, path: Path):
        self._stream = path.open("w", encoding="utf-8", newline="\n")

    def write(self, outcome: Outcome) -> None:
        self._stream.write(json.dumps(outcome.answer.to_row(), ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._stream.close()


class CsvWriter:
    """Flat columns in UTF-8 with BOM, which Excel opens as it is."""

    def __init__(self, path: Path, columns: list[str]):
        self._stream = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.DictWriter(self._stream, columns, extrasaction="ignore")
        self._writer.writeheader()

    def write(self, outcome: Outcome) -> None:
        self._writer.writerow(
            {column: csv_cell(value) for column, value in outcome_row(outcome.case, outcome.answer).items()}
        )

    def close(self) -> None:
        self._stream.close()


class XlsxWriter:
    """Flat columns in a workbook, streamed. Every text is a plain string cell, whatever it begins with.

    Where a sheet is full, another one begins.
    """

    def __init__(self, path: Path, columns: list[str]):
        self._path = path
        self._columns = columns
        self._book = Workbook(write_only=True)
        self._sheet = self._new_sheet()

    def write(self, outcome: Outcome) -> None:
        if self._rows == _XLSX_ROWS:
            self._sheet = self._new_sheet()
        row = outcome_row(outcome.case, outcome.answer)
        self._sheet.append([self._cell(row.get(column)) for column in self._columns])
        self._rows += 1

    def close(self) -> None:
        save(self._book, self._path)

    def _new_sheet(self) -> WriteOnlyWorksheet:
        number = len(self._book.worksheets) + 1
        sheet: WriteOnlyWorksheet = self._book.create_sheet("triage" if number == 1 else f"triage {number}")
        sheet.freeze_panes = "B2"
        sheet.append(self._columns)
        self._rows = 1
        return sheet

    def _cell(self, value: Value) -> Cell | Value:
        if not isinstance(value, str):
            return value
        cell = WriteOnlyCell(self._sheet, printable(value))
        cell.data_type = "s"
        return cell


def csv_cell(value: Value) -> Value:
    """A value that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if value.startswith(_FORMULA_STARTS) or text.startswith(_FORMULA_STARTS) else text


def open_writer(path: Path, suffix: str, taxonomy: Taxonomy) -> Writer:
    """The writer for a suffix of `WRITABLE`, writing to `path`."""
    if suffix == ".csv":
        return CsvWriter(path, flat_columns(taxonomy))
    if suffix == ".xlsx":
        return XlsxWriter(path, flat_columns(taxonomy))
    if suffix == ".parquet":
        from triage.batch.parquet_file import ParquetWriter  # pyarrow is an extra

        return ParquetWriter(path, taxonomy)
    return JsonLinesWriter(path)

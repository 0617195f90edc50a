"""Answers to a JSONL, CSV or XLSX file, in the order they come."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Protocol

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell

from triage.batch.flat import Value, flat_columns, flat_row
from triage.batch.marked import printable
from triage.errors import OutputError
from triage.result import RowError, TriageResult
from triage.taxonomy import Taxonomy

WRITABLE = (".jsonl", ".ndjson", ".csv", ".xlsx")
_FORMULA_STARTS = tuple("=+-@\t\r\n" + "\uff1d\uff0b\uff0d\uff20")
_XLSX_ROWS = 1_048_576


class Writer(Protocol):
    """Takes answers until it is closed."""

    def write(self, answer: TriageResult | RowError) -> None: ...

    def close(self) -> None: ...


class JsonLinesWriter:
    """One JSON object a line: the contract, and the lapses of the agent."""

    def __init__(self, path: Path):
        self._stream = path.open("w", encoding="utf-8", newline="\n")

    def write(self, answer: TriageResult | RowError) -> None:
        self._stream.write(json.dumps(answer.to_row(), ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._stream.close()


class CsvWriter:
    """Flat columns in UTF-8 with BOM, which Excel opens as it is."""

    def __init__(self, path: Path, columns: list[str]):
        self._stream = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.DictWriter(self._stream, columns, extrasaction="ignore")
        self._writer.writeheader()

    def write(self, answer: TriageResult | RowError) -> None:
        self._writer.writerow({column: csv_cell(value) for column, value in flat_row(answer).items()})

    def close(self) -> None:
        self._stream.close()


class XlsxWriter:
    """Flat columns in a workbook, streamed. Every text is a plain string cell, whatever it begins with."""

    def __init__(self, path: Path, columns: list[str]):
        self._path = path
        self._columns = columns
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet("triage")
        self._sheet.freeze_panes = "B2"
        self._sheet.append(columns)
        self._rows = 1

    def write(self, answer: TriageResult | RowError) -> None:
        self._rows += 1
        if self._rows > _XLSX_ROWS:
            raise OutputError(f"an XLSX sheet holds at most {_XLSX_ROWS} rows; write to .csv or .jsonl")
        row = flat_row(answer)
        self._sheet.append([self._cell(row.get(column)) for column in self._columns])

    def close(self) -> None:
        self._book.save(self._path)

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
    return JsonLinesWriter(path)

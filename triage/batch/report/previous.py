"""What an earlier run of `triage score` wrote, counted as this run is."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook

from triage.batch.facts import Facts
from triage.batch.tally import Counts
from triage.errors import InputError
from triage.taxonomy import Taxonomy

_ROWS_AT_ONCE = 4096
_BROKEN = (ValueError, KeyError, TypeError, AttributeError, EOFError, csv.Error, BadZipFile)


def read_previous(path: Path, taxonomy: Taxonomy) -> Counts:
    """Counts of an output file; InputError if it cannot be read or holds no results of this taxonomy."""
    counts = Counts(taxonomy)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"--compare {path}: allowed are outputs of triage score: {' '.join(_READERS)}")
    try:
        for labels, must_report, review, lapses, error in reader(path, taxonomy):
            if error:
                counts.count_failure(error)
            else:
                counts.count(Facts.given(taxonomy, labels, must_report, review, lapses))
    except OSError as error:
        raise InputError(f"--compare {path}: cannot be read: {error.strerror or error}") from None
    except _BROKEN as error:
        raise InputError(f"--compare {path}: not an output of triage score: {type(error).__name__}") from None
    if not counts.done:
        raise InputError(f"--compare {path}: no row with a result")
    return counts


_Row = tuple[dict[str, list[tuple[str, str]]], bool, bool, list[str], str]


def _json_rows(path: Path, taxonomy: Taxonomy) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig") as stream:
        for line in filter(str.strip, stream):
            row = json.loads(line)
            if "error" in row:
                yield {}, False, False, [], str(row["error"]["code"])
                continue
            given = {head.name: row[head.name] for head in taxonomy.heads}
            labels = {
                name: [(str(one["label"]), one["name"]) for one in (answer if isinstance(answer, list) else [answer])]
                for name, answer in given.items()
            }
            lapses = list(dict.fromkeys(one["kind"] for one in row.get("agent_lapses", [])))
            must_report = row["handling"]["present_owner_may"] == "must_report"
            yield labels, must_report, bool(row["review"]["needed"]), lapses, ""


def _csv_rows(path: Path, taxonomy: Taxonomy) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from (_flat_row(row, taxonomy) for row in csv.DictReader(stream))


def _xlsx_rows(path: Path, taxonomy: Taxonomy) -> Iterator[_Row]:
    """The rows of every sheet: where one is full, the output goes on in another."""
    book = load_workbook(path, read_only=True)
    try:
        for sheet in book.worksheets:
            rows = sheet.iter_rows(values_only=True)
            header = list(map(str, next(rows)))
            yield from (_flat_row(dict(zip_longest(header, row)), taxonomy) for row in rows)
    finally:
        book.close()


def _parquet_rows(path: Path, taxonomy: Taxonomy) -> Iterator[_Row]:
    import pyarrow.parquet as pq  # an extra

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE):
            yield from (_flat_row(row, taxonomy) for row in batch.to_pylist())


_READERS: dict[str, Callable[[Path, Taxonomy], Iterator[_Row]]] = {
    ".jsonl": _json_rows,
    ".ndjson": _json_rows,
    ".csv": _csv_rows,
    ".xlsx": _xlsx_rows,
    ".parquet": _parquet_rows,
}


def _flat_row(row: Mapping[str, Any], taxonomy: Taxonomy) -> _Row:
    """A row of a table, as `flat_row` wrote it."""
    if row["error_code"]:
        return {}, False, False, [], str(row["error_code"])
    labels = {head.name: _pairs(row[head.name], row[f"{head.name}_name"]) for head in taxonomy.heads}
    review = str(row["review_needed"]).lower() == "true"
    lapses = str(row.get("agent_lapses") or "")
    return labels, row["present_owner_may"] == "must_report", review, list(filter(None, lapses.split(";"))), ""


def _pairs(codes: object, names: object) -> list[tuple[str, str]]:
    given = [str("" if part is None else part).split(";") for part in (codes, names)]
    return [(code, name) for code, name in zip(*given, strict=True) if code]

"""CSV and XLSX label files: a row a case, a column a head, read by the reader of `triage score`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from triage.batch.columns import has_turns, match_columns, plain
from triage.batch.csv_table import CsvTable
from triage.batch.rows import Record, case_fields
from triage.batch.write import csv_cell
from triage.batch.xlsx_table import XlsxTable
from triage.case import Case
from triage.errors import InputError
from triage.taxonomy import Head, Taxonomy

TABLES: dict[str, type[CsvTable] | type[XlsxTable]] = {".csv": CsvTable, ".tsv": CsvTable, ".xlsx": XlsxTable}
_OWN = {
    "split": "split 划分 数据集",
    "evidence": "evidence 依据 证据",
    "pair": "pair group 分组 成对",
    "annotator": "annotator 标注人 标注员",
    "labelled_at": "labelledat 标注时间",
}
_LABEL = "labels."
_UNDER_HEADER = 1


class LabelColumns:
    """Finds the columns of a label table by their header: heads first, then fields of a labelled case, then of a case.

    `unused` names the columns that were not taken; `has_heads` says whether any header looked at names a head.
    """

    def __init__(self, taxonomy: Taxonomy):
        self._taxonomy = taxonomy
        self.unused: list[str] = []
        self.has_heads = False

    def __call__(self, source: str, names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
        """Field to position; a head's field is `labels.NAME`. InputError without a head, or without id and words."""
        known = {plain(name): place for place, name in reversed(list(enumerate(names)))}
        wanted = {f"{_LABEL}{head.name}": _headers(head) for head in self._taxonomy.heads}
        wanted |= {field: headers.split() for field, headers in _OWN.items()}
        found: dict[str, int] = {}
        for field, headers in wanted.items():
            places = [known[name] for name in headers if name in known and known[name] not in found.values()]
            if places:
                found[field] = places[0]
        rest = ["" if place in found.values() else name for place, name in enumerate(names)]
        found |= match_columns(rest, mapping)
        given = ", ".join(filter(None, names)) or "none"
        to_label = any(field.startswith(_LABEL) for field in found)
        self.has_heads |= to_label
        if has_turns(found):
            raise InputError(f"{source}: labels are read from one row a case, not one a turn; columns found: {given}")
        if not to_label:
            heads = ", ".join(f"{head.name} ({head.zh})" for head in self._taxonomy.heads)
            raise InputError(f"{source}: a column for at least one head is needed: {heads}; columns found: {given}")
        if not {"id", "text", "turns"} & found.keys():
            raise InputError(f"{source}: a column with ids or with the text is needed; columns found: {given}")
        self.unused = [name for place, name in enumerate(names) if name and place not in found.values()]
        return found


def _headers(head: Head) -> list[str]:
    return [plain(name) for name in (head.name, f"{_LABEL}{head.name}", head.zh, head.en)]


def names_head(names: Iterable[str], taxonomy: Taxonomy) -> bool:
    """Whether one of these headers, or keys, is that of a head."""
    known = {header for head in taxonomy.heads for header in _headers(head)}
    return any(plain(name) in known for name in names)


def has_heads(path: Path, taxonomy: Taxonomy) -> bool:
    """Whether a table has a column of a head; False too for what cannot be read."""
    columns = LabelColumns(taxonomy)
    with suppress(InputError, OSError):
        TABLES[path.suffix.lower()](path, {}, find_columns=columns)
    return columns.has_heads


def read_table(path: Path, columns: LabelColumns) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Rows with their number in the file (the header is row 1): a record as in JSONL, or why it cannot be read."""
    table = TABLES[path.suffix.lower()](path, {}, find_columns=columns)
    for record in table.records():
        row = record.number + _UNDER_HEADER
        try:
            yield row, record.problem or _labelled(record)
        except InputError as error:
            yield row, str(error)


def _labelled(record: Record) -> dict[str, Any]:
    given = {field: str(cell).strip() for field, cell in record.fields.items()}
    labels = {field.removeprefix(_LABEL): value for field, value in given.items() if field.startswith(_LABEL)}
    own: dict[str, Any] = {field: given[field] for field in _OWN if given.get(field)}
    if "evidence" in own:
        own["evidence"] = [quote.strip() for quote in own["evidence"].split("|") if quote.strip()]
    case = {field: _uncovered(cell) for field, cell in record.fields.items() if field in Case.model_fields}
    return {**case_fields(case), **own, "labels": labels}


def _uncovered(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from calculating."""
    return cell[1:] if cell and csv_cell(cell[1:]) == cell else cell

"""CSV and XLSX label files: a row a case, a column a head, read by the reader of `triage score`."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from triage.batch.columns import has_turns, match_columns, plain, shown
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
SHEET_HEADER = ("工单号", "内容", "渠道", "客户号", "划分", "推荐理由")
"""What stands before the heads in a sheet to fill in; the last says why the case was chosen, and is not read back."""
LABEL = "labels."
_UNDER_HEADER = 1
_WORDS = ("text", "turns")


class LabelColumns:
    """Finds the columns of a label table by their header: heads first, then fields of a labelled case, then of a case.

    Every row needs its words, where `labels_alone` does not allow an id in their stead.

    `unused` names the columns that were not taken; `has_heads` says whether any header looked at names a head.
    """

    def __init__(self, taxonomy: Taxonomy, labels_alone: bool = True):
        self._taxonomy = taxonomy
        self._labels_alone = labels_alone
        self.unused: list[str] = []
        self.has_heads = False

    def __call__(self, source: str, names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
        """Field to position; a head's field is `labels.NAME`. InputError without a head, or what a row needs."""
        known = {key: place for place, name in reversed(list(enumerate(names))) for key in (plain(name), _whole(name))}
        wanted = {f"{LABEL}{name}": headers for name, headers in _headers(self._taxonomy).items()}
        wanted |= {field: headers.split() for field, headers in _OWN.items()}
        found: dict[str, int] = {}
        for field, headers in wanted.items():
            places = [known[name] for name in headers if name in known and known[name] not in found.values()]
            if places:
                found[field] = places[0]
        rest = ["" if place in found.values() else name for place, name in enumerate(names)]
        found |= match_columns(rest, mapping)
        given = shown(names)
        to_label = any(field.startswith(LABEL) for field in found)
        self.has_heads |= to_label
        if has_turns(found):
            raise InputError(f"{source}: labels are read from one row a case, not one a turn; columns found: {given}")
        if not to_label:
            heads = ", ".join(f"{head.name} ({head.zh})" for head in self._taxonomy.heads)
            raise InputError(f"{source}: a column for at least one head is needed: {heads}; columns found: {given}")
        self._require_words(source, found, given)
        ours = {*found.values(), *(place for place, name in enumerate(names) if name in ("", SHEET_HEADER[-1]))}
        self.unused = [name for place, name in enumerate(names) if place not in ours]
        return found

    def _require_words(self, source: str, found: Collection[str], given: str) -> None:
        if self._labels_alone and not {"id", *_WORDS} & set(found):
            raise InputError(f"{source}: a column with ids or with the text is needed; columns found: {given}")
        if not self._labels_alone and not set(_WORDS) & set(found):
            raise InputError(
                f"{source}: a column with the text is needed, called text, 内容, 工单内容, 投诉内容 or 对话内容; "
                f"columns found: {given}"
            )


def sheet_headers(taxonomy: Taxonomy) -> list[str]:
    """The header of each head's column in a sheet: its Chinese name, and its own behind where others have the same."""
    taken = Counter(map(plain, [*SHEET_HEADER, *(head.zh for head in taxonomy.heads)]))
    return [head.zh if taken[plain(head.zh)] == 1 else _both_names(head) for head in taxonomy.heads]


@lru_cache(maxsize=8)
def _headers(taxonomy: Taxonomy) -> dict[str, list[str]]:
    """By head, the headers it goes by. A Chinese or English name that two heads have is that of neither."""
    heads = Counter(name for head in taxonomy.heads for name in {plain(head.zh), plain(head.en)})
    return {
        head.name: [
            *(_whole(_both_names(head)), plain(head.name), plain(f"{LABEL}{head.name}")),
            *(name for name in (plain(head.zh), plain(head.en)) if heads[name] == 1),
        ]
        for head in taxonomy.heads
    }


def _both_names(head: Head) -> str:
    return f"{head.zh} ({head.name})"


def _whole(name: str) -> str:
    """A header without space, width and case, and with what stands in brackets."""
    return "".join(unicodedata.normalize("NFKC", name).lower().split())


def head_named(given: str, taxonomy: Taxonomy) -> str | None:
    """The name of the head that goes by this header; None if none does."""
    wanted = {plain(given), _whole(given)}
    return next((name for name, headers in _headers(taxonomy).items() if not wanted.isdisjoint(headers)), None)


def names_head(names: Iterable[str], taxonomy: Taxonomy) -> bool:
    """Whether one of these headers, or keys, is that of a head."""
    return any(head_named(name, taxonomy) for name in names)


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
    labels = {field.removeprefix(LABEL): value for field, value in given.items() if field.startswith(LABEL)}
    own: dict[str, Any] = {field: given[field] for field in _OWN if given.get(field)}
    if "evidence" in own:
        own["evidence"] = [quote.strip() for quote in own["evidence"].split("|") if quote.strip()]
    case = {field: _uncovered(cell) for field, cell in record.fields.items() if field in Case.model_fields}
    return {**case_fields(case), **own, "labels": labels}


def _uncovered(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from calculating."""
    return cell[1:] if cell and csv_cell(cell[1:]) == cell else cell

"""One record of a file becomes a Case, or a RowError that keeps its place and its id."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from triage.batch.cells import cell_text, known_channel, tidy
from triage.batch.columns import match_columns
from triage.batch.encoding import MAX_LINE
from triage.case import Case
from triage.errors import InputError
from triage.result import RowError

Row = Case | RowError
_MAX_ID = 200
_LEADING_ID = re.compile(r'\s*\{\s*"id"\s*:\s*"([^"\\]{1,200})"')


@dataclass(frozen=True, slots=True)
class Record:
    """What a file says of one contact, or of one turn: values by field, as they are written.

    `problem` says why the record cannot be used. `fallback_id` is the id where no usable one is given. `number` is
    that of a row of a table, counted from 1 under the header.
    """

    fallback_id: str
    fields: Mapping[str, Any]
    problem: str = ""
    number: int = 0

    @property
    def id(self) -> str:
        """The id given, or the one to fall back on."""
        given = tidy({"id": self.fields.get("id")}).get("id")
        return given if isinstance(given, str) and given else self.fallback_id


def row_error(row_id: str, detail: str) -> RowError:
    """The answer for a row that cannot be read."""
    return RowError(row_id.encode(errors="replace").decode()[:_MAX_ID], InputError.code, detail)


def record_of_json(line: str, fallback_id: str, mapping: Mapping[str, str]) -> Record:
    """A line of a JSONL file. Keys are fields of the Case contract, mapped columns or known headers."""
    found = _LEADING_ID.match(line)
    fallback = {"id": found[1]} if found else {}
    if len(line) >= MAX_LINE:
        return Record(fallback_id, fallback, f"at most {MAX_LINE} characters in a line are allowed")
    try:
        values = _object(line)
    except InputError as error:
        return Record(fallback_id, fallback, str(error))
    columns = _columns(tuple(values), tuple(mapping.items()))
    fields = {field: values[name] for field, name in columns.items()}
    if "turns" in fields and "text" not in values:
        fields.pop("text", None)
    return Record(fallback_id, fields)


@lru_cache(maxsize=32)
def _columns(names: tuple[str, ...], mapping: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The key of each field; a file has few sets of keys."""
    return {field: names[position] for field, position in match_columns(names, dict(mapping)).items()}


def keys_of(line: str) -> list[str]:
    """The keys of a JSON object in a line; none if it is not one."""
    try:
        return list(_object(line))
    except InputError:
        return []


def record_of_cells(cells: Sequence[object], columns: Mapping[str, int], fallback_id: str, number: int) -> Record:
    """A row of a table, every cell as text."""
    return Record(
        fallback_id,
        {field: cell_text(cells[position]) if position < len(cells) else "" for field, position in columns.items()},
        number=number,
    )


def row_of_json(record: Record) -> Row:
    """A record of a JSONL file as a Case."""
    return row_error(record.id, record.problem) if record.problem else _row(tidy(dict(record.fields)), record)


def row_of_cells(record: Record) -> Row:
    """A row of a table as a Case."""
    if record.problem:
        return row_error(record.id, record.problem)
    try:
        return _row(case_fields(record.fields), record)
    except InputError as error:
        return row_error(record.id, str(error))


def case_fields(cells: Mapping[str, Any]) -> dict[str, Any]:
    """What the cells of a row, by field, give a Case; InputError if its turns cannot be read.

    Words are in `turns` (JSON or prefixed text) or `text`; turns count first.
    """
    fields = dict(cells)
    turns = str(fields.pop("turns", "")).strip()
    text = fields.pop("text", "")
    fields = tidy(fields)
    fields["channel"] = known_channel(fields.get("channel")) or "other"
    words = _words(turns, must_parse=True) if turns else _words(text, must_parse=False)
    return tidy({**fields, **words})


def _words(cell: str, must_parse: bool) -> dict[str, Any]:
    """A JSON list of turns as `turns`, anything else as `text`. A text may begin with a bracket of its own."""
    if not cell.lstrip().startswith("[{" if not must_parse else "["):
        return {"text": cell}
    try:
        return {"turns": _parse(cell)}
    except InputError:
        if must_parse:
            raise
        return {"text": cell}


def _object(line: str) -> dict[str, Any]:
    record = _parse(line)
    if not isinstance(record, dict):
        raise InputError(f"a line must be a JSON object, given {type(record).__name__}")
    return record


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"not complete JSON: {error.msg} at character {error.pos}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"JSON beyond the limits: {type(error).__name__}") from None


def _row(fields: dict[str, Any], record: Record) -> Row:
    """The Case, under the id given: one of a wrong type is an error, not a reason to make one up."""
    given = fields.get("id") or record.fallback_id
    try:
        json.dumps(fields, ensure_ascii=False, default=str).encode()
        return Case.read({**fields, "id": given})
    except UnicodeEncodeError:
        return row_error(record.id, "half of a surrogate pair is not a character")
    except InputError as error:
        return row_error(record.id, str(error))


def row_of_fields(fields: Mapping[str, Any], row_id: str) -> Row:
    """A Case of fields that have been put together from a file: a transcript, or the turns of a call."""
    return _row(tidy(dict(fields)), Record(row_id, {}))

"""One row of a file becomes a Case, or a RowError that keeps its place and its id."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
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


def row_error(row_id: str, detail: str) -> RowError:
    """The answer for a row that cannot be read."""
    return RowError(row_id[:_MAX_ID], InputError.code, detail)


def row_of_json(line: str, fallback_id: str, mapping: Mapping[str, str]) -> Row:
    """A line of a JSONL file. Keys are fields of the Case contract, mapped columns or known headers."""
    found = _LEADING_ID.match(line)
    row_id = found[1] if found else fallback_id
    if len(line) >= MAX_LINE:
        return row_error(row_id, f"at most {MAX_LINE} characters in a line are allowed")
    try:
        record = _object(line)
    except InputError as error:
        return row_error(row_id, str(error))
    names = list(record)
    fields = {field: record[names[position]] for field, position in match_columns(names, mapping).items()}
    if "turns" in fields and "text" not in record:
        fields.pop("text", None)
    return _row(tidy(fields), fallback_id)


def row_of_cells(cells: Sequence[object], columns: Mapping[str, int], fallback_id: str) -> Row:
    """A row of a table as a case."""
    try:
        return _row(fields_of_cells(cells, columns), fallback_id)
    except InputError as error:
        position = columns.get("id", len(cells))
        given = cell_text(cells[position]).strip() if position < len(cells) else ""
        return row_error(given or fallback_id, str(error))


def fields_of_cells(cells: Sequence[object], columns: Mapping[str, int]) -> dict[str, Any]:
    """The fields that a row of a table fills, InputError if its turns cannot be read.

    Words are in `turns` (JSON or prefixed text) or `text`; turns count first.
    """
    fields: dict[str, Any] = {
        field: cell_text(cells[position]) if position < len(cells) else "" for field, position in columns.items()
    }
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


def _row(fields: dict[str, Any], fallback_id: str) -> Row:
    given = fields.get("id") or fallback_id
    row_id = given if isinstance(given, str) else fallback_id
    try:
        json.dumps(fields, ensure_ascii=False, default=str).encode()
        return Case.read({**fields, "id": given})
    except UnicodeEncodeError:
        return row_error(row_id.encode(errors="replace").decode(), "half of a surrogate pair is not a character")
    except InputError as error:
        return row_error(row_id, str(error))

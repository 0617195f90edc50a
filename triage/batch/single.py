"""One case from the command line: a text, standard input, or a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from triage.batch.encoding import detect_encoding, open_text
from triage.batch.rows import record_of_json, row_of_json
from triage.case import Case
from triage.errors import InputError
from triage.result import RowError

_MAX_BYTES = 4_000_000


def read_case(text: str | None, file: Path | None, stdin: BinaryIO) -> Case:
    """The case named; `text` may be `-` for `stdin`. InputError unless exactly one of text and file is given."""
    if (text is None) == (file is None):
        raise InputError("give either a text (or - for standard input) or --file CASE.json")
    if file is not None:
        return _from_file(file)
    return Case.from_text(_read(stdin) if text == "-" else text or "")


def _from_file(file: Path) -> Case:
    try:
        with open_text(file, detect_encoding(file)) as stream:
            row = row_of_json(record_of_json(stream.read(_MAX_BYTES), "", {}))
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from None
    if isinstance(row, RowError):
        raise InputError(f"{file}: {row.detail}")
    return row


def _read(stdin: BinaryIO) -> str:
    data = stdin.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise InputError(f"standard input: at most {_MAX_BYTES} bytes are allowed")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("standard input: allowed are UTF-8 and GB18030 text")

"""JSON Lines: one contact or one turn a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from triage.batch.columns import match_columns, require_turn_columns
from triage.batch.encoding import bounded_lines, detect_encoding, open_text
from triage.batch.rows import Record, Row, keys_of, record_of_json, row_of_json
from triage.errors import InputError


class JsonLines:
    """The rows of a JSONL file. `columns` are the keys by field in its first object."""

    def __init__(self, path: Path, mapping: Mapping[str, str], prefix: str = ""):
        self.path = path
        self.size = max(1, path.stat().st_size)
        self.fraction = 0.0
        self._mapping = mapping
        self._prefix = prefix
        self._encoding = detect_encoding(path)
        with open_text(path, self._encoding) as stream:
            first = next((line for line in bounded_lines(stream) if line.strip()), None)
        if first is None:
            raise InputError(f"{path}: the file is empty; one JSON object a line is needed")
        if first.strip() == "[" or first.lstrip().startswith("[{"):
            raise InputError(f"{path}: one JSON object a line is needed, given a JSON array of them")
        self.headers = keys_of(first)
        self.columns = {field: self.headers[place] for field, place in match_columns(self.headers, mapping).items()}
        require_turn_columns(str(path), self.headers, self.columns)

    def __iter__(self) -> Iterator[Row]:
        return map(row_of_json, self.records())

    def records(self) -> Iterator[Record]:
        """The records of the file, in order."""
        with open_text(self.path, self._encoding) as stream:
            for number, line in enumerate(bounded_lines(stream), start=1):
                self.fraction = stream.buffer.tell() / self.size
                if line.strip():
                    yield record_of_json(line, f"{self._prefix}row-{number}", self._mapping)

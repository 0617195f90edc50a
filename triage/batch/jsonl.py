"""JSON Lines: one contact a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from triage.batch.encoding import bounded_lines, detect_encoding, open_text
from triage.batch.rows import Row, row_of_json
from triage.errors import InputError


class JsonLines:
    """The rows of a JSONL file. `fraction` says how much of it has been read."""

    def __init__(self, path: Path, mapping: Mapping[str, str], prefix: str = ""):
        self.path = path
        self.size = max(1, path.stat().st_size)
        self.fraction = 0.0
        self._mapping = mapping
        self._prefix = prefix
        self._encoding = detect_encoding(path)
        with open_text(path, self._encoding) as stream:
            if not any(line.strip() for line in bounded_lines(stream)):
                raise InputError(f"{path}: the file is empty; one JSON object a line is needed")

    def __iter__(self) -> Iterator[Row]:
        with open_text(self.path, self._encoding) as stream:
            for number, line in enumerate(bounded_lines(stream), start=1):
                self.fraction = stream.buffer.tell() / self.size
                if line.strip():
                    yield row_of_json(line, f"{self._prefix}row-{number}", self._mapping)

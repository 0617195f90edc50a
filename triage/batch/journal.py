"""The answers of a run that is not finished yet: a folder beside the output, one file for each shard of rows.

A shard's file is written whole or not at all, and written again it is the same; so a run may be killed at any moment.
"""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, TypeAdapter, ValidationError

from triage.batch.atomic import atomic
from triage.batch.job import difference
from triage.batch.rows import Row
from triage.errors import OutputError
from triage.result import RowError, TriageResult

Answer = TriageResult | RowError
_ANSWERS = TypeAdapter(list[Annotated[Answer, Field(union_mode="left_to_right")]])
_ROWS = TypeAdapter(list[Row])
_JOB = "job.json"
_BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, ValidationError)


@dataclass(frozen=True, slots=True)
class Journal:
    """The folder. `answers` hold what may be written out: identifiers are masked."""

    folder: Path

    @classmethod
    def beside(cls, out: Path) -> Self:
        """The journal of the run that writes `out`."""
        return cls(out.resolve().with_name(f"{out.name}.unfinished"))

    def check(self, resume: bool) -> None:
        """OutputError if a run that did not finish would be lost."""
        if self.folder.exists() and not resume:
            raise OutputError(
                f"{self.folder}: holds the answers of a run that did not finish; add --resume to go on from there, or "
                "delete the folder to begin anew"
            )

    def begin(self, job: Mapping[str, Any]) -> None:
        """Make the folder, or go on with the one that is there; OutputError if that was another job."""
        path = self.folder / _JOB
        if path.exists():
            changed = difference(job, _read_job(path))
            if changed:
                raise OutputError(
                    f"{self.folder}: the run that did not finish had other {changed}; delete the folder to begin anew"
                )
            return
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be made: {error.strerror or error}") from None
        with atomic(path) as part:
            part.write_text(json.dumps(job, ensure_ascii=False, indent=1), "utf-8")

    def has(self, shard: int) -> bool:
        """Whether the answers of a shard are there, and whole."""
        return self._read(shard) is not None

    def answers(self, shard: int) -> list[Answer]:
        """The answers of a shard that is done."""
        answers = self._read(shard)
        if answers is None:
            raise OutputError(f"{self._path(shard)}: the answers that were kept are gone; go on with --resume")
        return answers

    def _read(self, shard: int) -> list[Answer] | None:
        try:
            return _ANSWERS.validate_json(gzip.decompress(self._path(shard).read_bytes()))
        except (FileNotFoundError, *_BROKEN):
            return None

    def write(self, shard: int, answers: Sequence[Answer]) -> None:
        """Keep the answers of a shard; OutputError if the disk is full."""
        _write(self._path(shard), _ANSWERS.dump_json(list(answers)))

    def rows(self, shard: int) -> list[Row]:
        """The rows of a shard, as `write_rows` left them for another machine."""
        return _ROWS.validate_json(gzip.decompress(self._rows_path(shard).read_bytes()))

    def write_rows(self, shard: int, rows: Sequence[Row]) -> None:
        """Leave the rows of a shard for another machine; OutputError if the disk is full."""
        _write(self._rows_path(shard), _ROWS.dump_json(list(rows)))

    def remove(self) -> None:
        """The run is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, shard: int) -> Path:
        return self.folder / f"answers-{shard:08d}.json.gz"

    def _rows_path(self, shard: int) -> Path:
        return self.folder / f"rows-{shard:08d}.json.gz"


def _write(path: Path, data: bytes) -> None:
    with atomic(path) as part:
        part.write_bytes(gzip.compress(data, compresslevel=1, mtime=0))


def _read_job(path: Path) -> dict[str, Any]:
    try:
        job = json.loads(path.read_text("utf-8"))
        return job if isinstance(job, dict) else {}
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be read: {type(error).__name__}; delete the folder to begin anew") from None

"""From the inputs named on the command line to rows, in a stable order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from triage.batch.csv_table import CsvTable
from triage.batch.jsonl import JsonLines
from triage.batch.rows import Row
from triage.batch.xlsx_table import XlsxTable
from triage.errors import InputError


class Source(Protocol):
    """A file whose header has been checked. Iterating reads its rows; `fraction` says how far that has come."""

    path: Path
    size: int
    fraction: float

    def __iter__(self) -> Iterator[Row]: ...


_FORMATS: dict[str, Callable[[Path, Mapping[str, str], str], Source]] = {
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".csv": CsvTable,
    ".tsv": CsvTable,
    ".xlsx": XlsxTable,
}
READABLE = " ".join(_FORMATS)


def find_files(inputs: Sequence[Path]) -> list[Path]:
    """The files named and those of a known format in the folders named, sorted within a folder, each once."""
    found: dict[Path, Path] = {}
    for given in inputs:
        files = _files_in(given) if given.is_dir() else [given]
        for path in files:
            found.setdefault(path.resolve(), path)
    if not found:
        raise InputError(f"{', '.join(map(str, inputs))}: no file to read; read are {READABLE}")
    return list(found.values())


def _files_in(folder: Path) -> list[Path]:
    known = (path for path in folder.rglob("*") if path.suffix.lower() in _FORMATS and path.is_file())
    return sorted(path for path in known if not path.name.startswith((".", "~$")))


def open_sources(files: Sequence[Path], mapping: Mapping[str, str]) -> list[Source]:
    """Check every file before the first row is read. Of several files, the ids made up for rows begin with the name."""
    return [_open(path, mapping, f"{path.name}:" if len(files) > 1 else "") for path in files]


def _open(path: Path, mapping: Mapping[str, str], prefix: str) -> Source:
    reader = _FORMATS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: unknown kind of file; read are {READABLE}")
    try:
        return reader(path, mapping, prefix)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def read_rows(sources: Sequence[Source]) -> Iterator[Row]:
    """The rows of all sources, one after another."""
    for source in sources:
        try:
            yield from source
        except OSError as error:
            raise InputError(f"{source.path}: cannot be read: {error.strerror or error}") from None


def fraction_read(sources: Sequence[Source]) -> float:
    """How much of all sources has been read, weighed by file size."""
    return sum(source.size * source.fraction for source in sources) / sum(source.size for source in sources)

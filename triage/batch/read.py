"""From the inputs named on the command line to rows, in a stable order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from triage.batch.columns import has_turns
from triage.batch.csv_table import CsvTable
from triage.batch.jsonl import JsonLines
from triage.batch.rows import Row
from triage.batch.table import Source, Table
from triage.batch.transcripts import SUFFIX, Transcripts, is_transcript
from triage.batch.turn_table import TurnTable
from triage.batch.xlsx_table import XlsxTable
from triage.errors import InputError

Input = Table | Transcripts


def _parquet(path: Path, mapping: Mapping[str, str], prefix: str) -> Table:
    from triage.batch.parquet_table import ParquetTable  # pyarrow is an extra

    return ParquetTable(path, mapping, prefix)


_FORMATS: dict[str, Callable[[Path, Mapping[str, str], str], Table]] = {
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".csv": CsvTable,
    ".tsv": CsvTable,
    ".xlsx": XlsxTable,
    ".parquet": _parquet,
}
READABLE = " ".join([*_FORMATS, SUFFIX])


def find_inputs(inputs: Sequence[Path]) -> list[Path]:
    """The files named, and what the folders named hold, sorted within a folder, each once.

    A folder is named in place of its transcripts; in one that holds tables too, `.txt` files are notes beside them.
    """
    found: dict[Path, Path] = {}
    for given in inputs:
        for path in _inputs_in(given) if given.is_dir() else [given]:
            found.setdefault(path.resolve(), path)
    if not found:
        raise InputError(f"{', '.join(map(str, inputs))}: no file to read; read are {READABLE}")
    return list(found.values())


def _inputs_in(folder: Path) -> list[Path]:
    tables, transcripts = [], set()
    for path in folder.rglob("*"):
        if path.suffix.lower() in _FORMATS and not path.name.startswith((".", "~$")) and path.is_file():
            tables.append(path)
        elif is_transcript(path):
            transcripts.add(path.parent)
    return sorted([*tables, *(transcripts - {path.parent for path in tables})])


def open_sources(inputs: Sequence[Path], mapping: Mapping[str, str]) -> list[Input]:
    """Look at every input before the first row is read. Of several, the ids made up for rows begin with the name."""
    return [_open(path, mapping, f"{path.name}:" if len(inputs) > 1 else "") for path in inputs]


def _open(path: Path, mapping: Mapping[str, str], prefix: str) -> Input:
    try:
        if path.is_dir() or is_transcript(path):
            return Transcripts(path, f"{path.name}/" if prefix and path.is_dir() else "")
        reader = _FORMATS.get(path.suffix.lower())
        if reader is None:
            raise InputError(f"{path}: unknown kind of file; read are {READABLE}")
        table = reader(path, mapping, prefix)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    return TurnTable(table) if has_turns(table.columns) else table


def files_of(source: Source) -> Iterator[Path]:
    """The files that a source reads."""
    return source.files() if isinstance(source, Transcripts) else iter([source.path])


def read_rows(sources: Sequence[Source]) -> Iterator[Row]:
    """The rows of all sources, one after another."""
    for source in sources:
        try:
            yield from source
        except OSError as error:
            raise InputError(f"{source.path}: cannot be read: {error.strerror or error}") from None


def fraction_read(sources: Sequence[Source]) -> float:
    """How much of all sources has been read, weighed by size."""
    return sum(source.size * source.fraction for source in sources) / sum(source.size for source in sources)

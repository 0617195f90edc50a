"""Labelled cases: a case, its labels (absent or null means unknown), evidence, source and split."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from training.label_table import TABLES, LabelColumns, read_table
from training.label_values import read_label, read_labels, split_named
from triage.batch.cells import tidy
from triage.batch.encoding import bounded_lines, detect_encoding, open_text
from triage.batch.read import find_inputs
from triage.case import Case
from triage.errors import InputError, LabelError
from triage.normalise import normalise
from triage.privacy import mask
from triage.taxonomy import Head, Taxonomy

JSON_LINES = (".jsonl", ".ndjson")
READABLE = (*JSON_LINES, *TABLES)
_SHOWN = 10
_LOOKED_AT = 1_000
_SHOWN_VALUES, _SHOWN_LETTERS = 5, 30
_MADE_UP = re.compile(rf"(?:.+:)?row-\d+|.+(?:{'|'.join(map(re.escape, READABLE))}):\d+", re.IGNORECASE)
_EXTRA = ("pair",)


@dataclass(frozen=True, slots=True)
class LabelledCase:
    """One record of a labelled file. `labels` maps heads to a code, or to a list of codes for multi-label heads.

    `split` is train, dev or test; empty where the file names none (see `training.splits`).
    """

    case: Case
    labels: dict[str, Any]
    evidence: tuple[str, ...] = ()
    source: str = ""
    split: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One row as it was given, and where: `place` is `file:row`, for a contact `file:id`.

    `problem` says why there are no fields.
    """

    place: str
    fields: dict[str, Any]
    problem: str = ""


@dataclass(slots=True)
class Reading:
    """What came out of labelled files: records, rows that are none, and columns or heads that nothing was made of.

    `foreign` says whether a label of such a row is none of its head.
    """

    records: list[LabelledCase] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unused: Counter[str] = field(default_factory=Counter)
    foreign: bool = False


def find_labelled(paths: Sequence[Path]) -> list[Path]:
    """The labelled files named, or in the folders named; InputError if there are none or one cannot be read."""
    files = find_inputs(paths)
    wrong = [str(file) for file in files if file.suffix.lower() not in READABLE or not file.is_file()]
    if wrong:
        raise InputError(f"cases: labelled files ({' '.join(READABLE)}) or folders of them are needed; given {wrong}")
    return files


def is_labelled(path: Path, taxonomy: Taxonomy) -> bool:
    """Whether the first rows of a file have labels; in a table, whether a cell under a head's name is a label of it.

    A table of contacts may have a column such as 投诉类型 of its own. False too for what is no labelled file at all.
    """
    given = _first_labels(path, taxonomy)
    if path.suffix.lower() in JSON_LINES:
        return any(given)
    return any(_is_label(head, labels.get(head.name)) for labels in given for head in taxonomy.heads)


def foreign_labels(path: Path, taxonomy: Taxonomy) -> list[str]:
    """A sentence for every column of a table that bears the name of a head, and has none of its labels."""
    given, found = _first_labels(path, taxonomy), []
    for head in taxonomy.heads:
        values = dict.fromkeys(str(labels[head.name]) for labels in given if labels.get(head.name))
        if values and not any(_is_label(head, value) for value in values):
            shown = ", ".join(value[:_SHOWN_LETTERS] for value in islice(values, _SHOWN_VALUES))
            allowed = ", ".join(f"{label.code} {label.zh}" for label in head.labels)
            found.append(
                f"the column of {head.name} ({head.zh}) has no label of it; allowed are {allowed}; given {shown}"
            )
    return found


def _first_labels(path: Path, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """What stands under the heads in the first rows; nothing where the file is no labelled file at all."""
    try:
        return [raw.fields.get("labels") or {} for raw in islice(raw_records(path, taxonomy), _LOOKED_AT)]
    except (InputError, OSError):
        return []


def _is_label(head: Head, value: object) -> bool:
    try:
        return read_label(head, value) is not None
    except InputError:
        return False


def read_cases(paths: Iterable[Path], taxonomy: Taxonomy, split: str | None = None) -> list[LabelledCase]:
    """All records of labelled files; `split` keeps those of one split.

    InputError names the rows that are none, LabelError if a label is none of its head.
    """
    reading = read_all(paths, taxonomy)
    if reading.problems:
        more = len(reading.problems) - _SHOWN
        lines = [*reading.problems[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        raise (LabelError if reading.foreign else InputError)("\n".join(lines))
    return [record for record in reading.records if split in (None, record.split)]


def read_all(paths: Iterable[Path], taxonomy: Taxonomy) -> Reading:
    """Every row of labelled files, the readable and the unreadable. InputError only for a file without words."""
    reading, paths = Reading(), list(paths)
    names = short_names(paths)
    for path in paths:
        for raw in raw_records(path, taxonomy, reading.unused, names[path], labels_alone=False):
            try:
                if raw.problem:
                    raise InputError(raw.problem)
                reading.records.append(parse_record(raw.fields, taxonomy))
            except InputError as error:
                reading.problems.append(f"{raw.place}: {error}")
                reading.foreign |= isinstance(error, LabelError)
    return reading


def parse_record(row: dict[str, Any], taxonomy: Taxonomy) -> LabelledCase:
    """A labelled case from its JSON object; heads outside the taxonomy are ignored, unknown labels are an error."""
    extra: dict[str, Any] = {name: row[name] for name in _EXTRA if name in row}
    quotes = row.get("evidence") or ()
    evidence = (quotes,) if isinstance(quotes, str) else tuple(quotes)
    labels = read_labels(row.get("labels") or {}, taxonomy)
    split = split_named(row.get("split"))
    return LabelledCase(Case.read(row), labels, evidence, row.get("source", ""), split, extra)


def short_names(paths: Iterable[Path]) -> dict[Path, str]:
    """Each path by as many of its last parts as tell it from the others: `next.csv`, or `a/next.csv` and `b/next.csv`.

    They depend neither on the order of the paths nor on the working directory.
    """
    ends = {path: _ends(path) for path in paths}
    counts = Counter(end for tails in set(ends.values()) for end in tails)
    return {path: next((end for end in tails if counts[end] == 1), tails[-1]) for path, tails in ends.items()}


def _ends(path: Path) -> tuple[str, ...]:
    """The last part of a path, the last two, and so on; a link goes by its own name."""
    _, *parts = (path.parent.resolve() / path.name).parts
    return tuple("/".join(parts[place:]) for place in reversed(range(len(parts))))


def is_made_up(given: str) -> bool:
    """Whether an id is one that readers give to a row without: `row-7`, `pool.csv:row-7`, `next.csv:8`."""
    return _MADE_UP.fullmatch(given) is not None


def plain_words(text: str) -> str:
    """What makes two texts the same words, in a pool, a sheet and a merged file: normalised, identifiers masked.

    Without whitespace, and without the apostrophe that keeps a spreadsheet from calculating.
    """
    return "".join(mask(normalise(text)).text.split()).lstrip("'")


def raw_records(
    path: Path,
    taxonomy: Taxonomy,
    unused: Counter[str] | None = None,
    name: str = "",
    labels_alone: bool = True,
) -> Iterator[RawRecord]:
    """The rows of a labelled file of any kind as JSON objects with `labels`; a row without an id is named by its place.

    `unused` counts columns, and heads in `labels`, that the taxonomy does not have. `name` is that of the file in
    places (see `short_names`), its last part by default. `labels_alone`: a table may have ids in place of the words.
    """
    unused = Counter() if unused is None else unused
    columns = LabelColumns(taxonomy, labels_alone)
    rows = read_table(path, columns) if path.suffix.lower() in TABLES else _json_lines(path, taxonomy, unused)
    for number, row in rows:
        place = f"{name or path.name}:{number}"
        yield RawRecord(place, {}, row) if isinstance(row, str) else RawRecord(place, {"id": place, **row})
    unused.update(columns.unused)


def _json_lines(path: Path, taxonomy: Taxonomy, unused: Counter[str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    heads = {head.name for head in taxonomy.heads}
    try:
        with open_text(path, detect_encoding(path)) as stream:
            for number, line in enumerate(bounded_lines(stream), start=1):
                if line.strip():
                    yield number, _object(line, heads, unused)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def _object(line: str, heads: set[str], unused: Counter[str]) -> dict[str, Any] | str:
    """The object of a line; heads may stand in `labels` or, where that is not there, beside the id."""
    try:
        row = json.loads(line)
    except ValueError as error:
        return f"not complete JSON: {error}"
    if not isinstance(row, dict) or not isinstance(row.get("labels") or {}, dict):
        return "a JSON object with labels is needed"
    labels = row.get("labels", {name: row[name] for name in heads & row.keys()}) or {}
    unused.update(name for name in labels if name not in heads)
    return {**tidy({name: value for name, value in row.items() if name not in heads}), "labels": labels}

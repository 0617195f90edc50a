"""Exports of annotation tools as records: Label Studio (JSON, JSON-MIN) and doccano (JSONL)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.cases import JSON_LINES, RawRecord, find_labelled, raw_records, short_names
from training.label_table import TABLES, has_heads, names_head
from training.label_values import find_code
from triage.batch.cells import tidy
from triage.batch.columns import has_turns, match_columns
from triage.batch.encoding import bounded_lines, detect_encoding, open_text
from triage.batch.read import Input, find_inputs, open_sources, read_rows
from triage.errors import InputError
from triage.result import RowError
from triage.taxonomy import Taxonomy

_WORDS = ("text", "turns")
_NAMED = re.compile(r"\s*([a-z][a-z0-9_]*)\s*[:=：]\s*(.+)")


def labelled_rows(
    paths: Sequence[Path], taxonomy: Taxonomy, contacts: Sequence[Path] | None = None
) -> Iterator[RawRecord]:
    """The rows of label files and exports of any kind, in the order of the paths.

    Beside them there may be files of contacts without labels, which are read as `triage score` and `suggest` read them:
    `contacts`, where `contact_files` has been asked already. InputError for what is none of these.
    """
    files = [file for path in paths for file in find_inputs([path])]
    if missing := [str(file) for file in files if not file.exists()]:
        raise InputError(f"labels: no such file: {', '.join(missing)}")
    names = short_names(files)
    beside = contact_files(files, taxonomy) if contacts is None else contacts
    sources = dict(zip(beside, open_sources(beside, {}), strict=True))
    for file in files:
        if file in sources:
            yield from _contacts(sources[file], names[file])
        elif file.suffix.lower() == ".json":
            yield from _label_studio(file, names[file], taxonomy)
        elif _is_doccano(file):
            yield from _doccano(file, names[file], taxonomy)
        else:
            find_labelled([file])
            yield from raw_records(file, taxonomy, name=names[file])


def contact_files(paths: Sequence[Path], taxonomy: Taxonomy) -> list[Path]:
    """Those of the paths, files or folders, that `labelled_rows` takes for contacts without labels."""
    files = [file for path in paths for file in find_inputs([path])]
    contacts = [file for file in files if file.exists() and _is_of_contacts(file, taxonomy)]
    return contacts if len(contacts) < len(files) else []


def _is_of_contacts(path: Path, taxonomy: Taxonomy) -> bool:
    """Whether a file has no place for labels, and only the reader of `triage score` finds the words in it."""
    suffix = path.suffix.lower()
    if suffix in TABLES:
        return not has_heads(path, taxonomy)
    if suffix not in JSON_LINES:
        return suffix != ".json"
    keys = _keys(path)
    columns = match_columns(keys, {})
    words = {keys[columns[field]] for field in _WORDS if field in columns}
    labelled = "labels" in keys or names_head(keys, taxonomy)
    return not labelled and (has_turns(columns) or not words <= set(_WORDS))


def _contacts(source: Input, name: str) -> Iterator[RawRecord]:
    for row in read_rows([source]):
        place = f"{name}:{row.id.removeprefix(f'{source.path.name}:')}"
        if isinstance(row, RowError):
            yield RawRecord(place, {}, row.detail)
        else:
            yield RawRecord(place, {**row.model_dump(mode="json", exclude_defaults=True), "labels": {}})


def _label_studio(path: Path, name: str, taxonomy: Taxonomy) -> Iterator[RawRecord]:
    """A row for each annotation of each task that was not skipped; the heads are the `from_name` of choices.

    The place of a task's second annotation is `file:task.2`.
    """
    try:
        with open_text(path, detect_encoding(path)) as stream:
            tasks = json.load(stream)
    except (ValueError, OSError, RecursionError) as error:
        raise InputError(f"{path}: not a readable JSON export: {error}") from None
    if not isinstance(tasks, list):
        raise InputError(f"{path}: a Label Studio export is a list of tasks, given {type(tasks).__name__}")
    for number, task in enumerate(tasks, start=1):
        place = f"{name}:{number}"
        try:
            for annotation, row in enumerate(_annotations(task, taxonomy), start=1):
                yield RawRecord(place if annotation == 1 else f"{place}.{annotation}", {"id": place, **row})
        except (AttributeError, KeyError, TypeError) as error:
            yield RawRecord(place, {}, f"not a task of Label Studio: {error!r}")


def _annotations(task: Mapping[str, Any], taxonomy: Taxonomy) -> Iterator[dict[str, Any]]:
    heads = {head.name for head in taxonomy.heads}
    if "annotations" not in task:  # JSON-MIN
        labels = {name: _choices(task[name]) for name in heads & task.keys()}
        yield _row(task, {name: value for name, value in task.items() if name not in heads}, labels)
        return
    for annotation in task["annotations"]:
        if annotation.get("was_cancelled"):
            continue
        chosen: dict[str, list[Any]] = {}
        for result in annotation["result"]:
            if result["from_name"] in heads:
                chosen.setdefault(result["from_name"], []).extend(result["value"]["choices"])
        yield _row(annotation, {"id": str(task["id"]), **task["data"]}, chosen)


def _row(annotation: Mapping[str, Any], fields: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, Any]:
    who = annotation.get("completed_by", annotation.get("annotator", ""))
    named = {"annotator": str(who.get("id", "") if isinstance(who, dict) else who)}
    when = annotation.get("updated_at") or annotation.get("created_at")
    return {**tidy(dict(fields)), **named, **({"labelled_at": when} if when else {}), "labels": labels}


def _choices(value: Any) -> Any:
    return value["choices"] if isinstance(value, dict) else value


def _is_doccano(path: Path) -> bool:
    if path.suffix.lower() not in JSON_LINES:
        return False
    row = next(_objects(path), {})
    return isinstance(row.get("label"), list) and "labels" not in row


def _keys(path: Path) -> list[str]:
    """The keys of all lines of a JSONL file that are objects."""
    return list(dict.fromkeys(key for row in _objects(path) for key in row))


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    with open_text(path, detect_encoding(path)) as stream:
        for line in bounded_lines(stream):
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row


def _doccano(path: Path, name: str, taxonomy: Taxonomy) -> Iterator[RawRecord]:
    """Labels are `head:label`, or a label that only one head has. `case_id`, if it is there, is the id of the case."""
    for raw in raw_records(path, taxonomy, name=name):
        fields = {**raw.fields, "id": str(raw.fields.get("case_id", raw.fields.get("id", raw.place)))}
        labels: dict[str, list[Any]] = {}
        try:
            for given in fields.pop("label", []):
                name, value = _head_of(str(given), taxonomy)
                labels.setdefault(name, []).append(value)
        except InputError as error:
            yield RawRecord(raw.place, fields, raw.problem or str(error))
        else:
            yield RawRecord(raw.place, {**fields, "labels": labels}, raw.problem)


def _head_of(given: str, taxonomy: Taxonomy) -> tuple[str, Any]:
    named = _NAMED.fullmatch(given)
    if named and named[1] in {head.name for head in taxonomy.heads}:
        return named[1], named[2].strip()
    heads = [head.name for head in taxonomy.heads if find_code(head, given) is not None]
    if len(heads) != 1:
        raise InputError(
            f"label: a label of one head, or HEAD:LABEL, is needed; {given[:40]!r} is a label of {heads or 'none'}"
        )
    return heads[0], given

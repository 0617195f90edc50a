"""Exports of annotation tools as records: Label Studio (JSON, JSON-MIN) and doccano (JSONL)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.cases import JSON_LINES, RawRecord, find_labelled, raw_records, short_names
from training.label_table import LABEL, TABLES, LabelColumns, has_heads, head_named, names_head
from training.label_values import find_code
from triage.batch.cells import known_channel, tidy
from triage.batch.columns import has_turns, match_columns, shown
from triage.batch.encoding import bounded_lines, detect_encoding, open_text
from triage.batch.read import Input, find_inputs, open_sources, read_rows
from triage.errors import InputError
from triage.result import RowError
from triage.taxonomy import Taxonomy

_WORDS = ("text", "turns")
_NAMED = re.compile(r"([^:=：]+)[:=：](.+)")
_OF_JSON_MIN = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time")


def labelled_rows(
    paths: Sequence[Path],
    taxonomy: Taxonomy,
    contacts: Sequence[Path] | None = None,
    unused: Counter[str] | None = None,
) -> Iterator[RawRecord]:
    """The rows of label files and exports of any kind, in the order of the paths.

    Beside them there may be files of contacts without labels, which are read as `triage score` and `suggest` read them:
    `contacts`, where `contact_files` has been asked already. `unused` counts what names no head (see `raw_records`).
    InputError for what is none of these.
    """
    unused = Counter() if unused is None else unused
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
            yield from _label_studio(file, names[file], taxonomy, unused)
        elif _is_doccano(file):
            yield from _doccano(file, names[file], taxonomy)
        else:
            find_labelled([file])
            yield from raw_records(file, taxonomy, unused, names[file])


def is_export(path: Path) -> bool:
    """Whether a file is an export of an annotation tool, which only `labelled_rows` reads."""
    return path.is_file() and (path.suffix.lower() == ".json" or _is_doccano(path))


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
    labelled = "labels" in keys or names_head(keys, taxonomy) or _is_doccano(path)
    return not labelled and (has_turns(columns) or not words <= set(_WORDS))


def _contacts(source: Input, name: str) -> Iterator[RawRecord]:
    for row in read_rows([source]):
        place = f"{name}:{row.id.removeprefix(f'{source.path.name}:')}"
        if isinstance(row, RowError):
            yield RawRecord(place, {}, row.detail)
        else:
            yield RawRecord(place, {**row.model_dump(mode="json", exclude_defaults=True), "labels": {}})


def _label_studio(path: Path, name: str, taxonomy: Taxonomy, unused: Counter[str]) -> Iterator[RawRecord]:
    """A row for each annotation of each task that was not skipped; the place of a task's second is `file:task.2`.

    InputError where labels were chosen, and none under the name of a head.
    """
    tasks, others = _tasks(path), Counter[str]()
    columns = _json_min_columns(path, tasks, taxonomy, others)
    labelled = bool(columns)
    for number, task in enumerate(tasks, start=1):
        place = f"{name}:{number}"
        try:
            rows = [_json_min(task, columns)] if columns else _annotations(task, taxonomy, others)
            for annotation, row in enumerate(rows, start=1):
                labelled |= bool(row["labels"])
                yield RawRecord(place if annotation == 1 else f"{place}.{annotation}", {"id": place, **row})
        except (AttributeError, KeyError, TypeError) as error:
            yield RawRecord(place, {}, f"not a task of Label Studio: {error!r}")
    if others and not labelled:
        heads = ", ".join(f"{head.name} ({head.zh})" for head in taxonomy.heads)
        raise InputError(f"{path}: choices named after a head are needed: {heads}; given {shown(list(others))}")
    unused.update(others)


def _tasks(path: Path) -> list[Any]:
    try:
        with open_text(path, detect_encoding(path)) as stream:
            tasks = json.load(stream)
    except (ValueError, OSError, RecursionError) as error:
        raise InputError(f"{path}: not a readable JSON export: {error}") from None
    if not isinstance(tasks, list):
        raise InputError(f"{path}: a Label Studio export is a list of tasks, given {type(tasks).__name__}")
    return tasks


def _annotations(task: Mapping[str, Any], taxonomy: Taxonomy, others: Counter[str]) -> Iterator[dict[str, Any]]:
    """The heads are the `from_name` of choices; `others` counts names of choices that are of no head."""
    for annotation in task["annotations"]:
        if annotation.get("was_cancelled"):
            continue
        chosen: dict[str, list[Any]] = {}
        for result in annotation["result"]:
            if head := head_named(result["from_name"], taxonomy):
                chosen.setdefault(head, []).extend(result["value"]["choices"])
            elif "choices" in result.get("value", ()):
                others[result["from_name"]] += 1
        yield _row(annotation, _fields(task["data"], task["id"]), chosen)


def _json_min_columns(path: Path, tasks: Sequence[Any], taxonomy: Taxonomy, others: Counter[str]) -> dict[str, str]:
    """JSON-MIN has labels beside the fields of the case, so its keys are the header of a table: key by field.

    Empty where tasks have annotations. `others` counts keys that nothing is made of; InputError as for a table.
    """
    keys = dict.fromkeys(key for task in tasks if isinstance(task, dict) for key in task)
    if "annotations" in keys or not keys:
        return {}
    names = [key for key in keys if key not in _OF_JSON_MIN and not has_turns(match_columns([key], {}))]
    columns = LabelColumns(taxonomy)
    places = columns(str(path), names, {})
    others.update(columns.unused)
    return {field: names[place] for field, place in places.items()}


def _json_min(task: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    given = {field: task[key] for field, key in columns.items() if key in task}
    labels = {field.removeprefix(LABEL): _choices(given[field]) for field in given if field.startswith(LABEL)}
    fields = {field: value for field, value in given.items() if not field.startswith(LABEL)}
    return _row(task, _fields(fields, task.get("id")), labels)


def _fields(given: Mapping[str, Any], number: Any) -> dict[str, Any]:
    """Fields of a case, given under the keys that `triage score` knows; without an id `number`, that of the tool."""
    names = list(given)
    found = {names[place]: field for field, place in match_columns(names, {}).items()}
    fields = tidy({"id": number, **{found.get(name, name): value for name, value in given.items()}})
    fields.pop("created_at", None)  # when the tool made the task, as often as when the customer called
    return {**fields, **({"channel": known_channel(str(fields["channel"]))} if "channel" in fields else {})}


def _row(annotation: Mapping[str, Any], fields: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, Any]:
    who = annotation.get("completed_by", annotation.get("annotator", ""))
    named = {"annotator": str(who.get("id", "") if isinstance(who, dict) else who)}
    when = annotation.get("updated_at") or annotation.get("created_at")
    return {**fields, **named, **({"labelled_at": when} if when else {}), "labels": labels}


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
    """Labels are `head:label`, or a label that only one head has."""
    for raw in raw_records(path, taxonomy, name=name):
        given = {name: value for name, value in raw.fields.items() if name != "id"}
        fields = _fields(given, raw.fields.get("id"))
        labels: dict[str, list[Any]] = {}
        try:
            for label in fields.pop("label", []):
                head, value = _head_of(str(label), taxonomy)
                labels.setdefault(head, []).append(value)
        except InputError as error:
            yield RawRecord(raw.place, fields, raw.problem or str(error))
        else:
            yield RawRecord(raw.place, {**fields, "labels": labels}, raw.problem)


def _head_of(given: str, taxonomy: Taxonomy) -> tuple[str, Any]:
    named = _NAMED.fullmatch(given)
    if named and (head := head_named(named[1], taxonomy)):
        return head, named[2].strip()
    heads = [head.name for head in taxonomy.heads if find_code(head, given) is not None]
    if len(heads) != 1:
        raise InputError(
            f"label: a label of one head, or HEAD:LABEL, is needed; {given[:40]!r} is a label of {heads or 'none'}"
        )
    return heads[0], given

"""Exports of annotation tools as records: Label Studio (JSON, JSON-MIN) and doccano (JSONL)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from training.cases import RawRecord, find_labelled, raw_records
from training.label_values import find_code
from triage.batch.cells import tidy
from triage.batch.encoding import bounded_lines, detect_encoding, open_text
from triage.errors import InputError
from triage.taxonomy import Taxonomy

_NAMED = re.compile(r"\s*([a-z][a-z0-9_]*)\s*[:=：]\s*(.+)")


def labelled_rows(paths: list[Path], taxonomy: Taxonomy) -> Iterator[RawRecord]:
    """The rows of label files and exports of any kind, in the order of the paths."""
    for path in paths:
        if path.suffix.lower() == ".json":
            yield from _label_studio(path, taxonomy)
        elif path.suffix.lower() in (".jsonl", ".ndjson") and path.is_file() and _is_doccano(path):
            yield from _doccano(path, taxonomy)
        else:
            for file in find_labelled([path]):
                yield from raw_records(file, taxonomy)


def _label_studio(path: Path, taxonomy: Taxonomy) -> Iterator[RawRecord]:
    """A row for each annotation of each task that was not skipped; the heads are the `from_name` of choices."""
    try:
        with open_text(path, detect_encoding(path)) as stream:
            tasks = json.load(stream)
    except (ValueError, OSError, RecursionError) as error:
        raise InputError(f"{path}: not a readable JSON export: {error}") from None
    if not isinstance(tasks, list):
        raise InputError(f"{path}: a Label Studio export is a list of tasks, given {type(tasks).__name__}")
    for number, task in enumerate(tasks, start=1):
        place = f"{path.name}:{number}"
        try:
            yield from (RawRecord(place, {"id": place, **row}) for row in _annotations(task, taxonomy))
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
        labels = {}
        for result in annotation["result"]:
            if result["from_name"] in heads:
                labels[result["from_name"]] = _choices(result["value"])
        yield _row(annotation, {"id": str(task["id"]), **task["data"]}, labels)


def _row(annotation: Mapping[str, Any], fields: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, Any]:
    who = annotation.get("completed_by", annotation.get("annotator", ""))
    named = {"annotator": str(who.get("id", "") if isinstance(who, dict) else who)}
    when = annotation.get("updated_at") or annotation.get("created_at")
    return {**tidy(dict(fields)), **named, **({"labelled_at": when} if when else {}), "labels": labels}


def _choices(value: Any) -> Any:
    return value["choices"] if isinstance(value, dict) else value


def _is_doccano(path: Path) -> bool:
    with open_text(path, detect_encoding(path)) as stream:
        first = next((line for line in bounded_lines(stream) if line.strip()), "")
    try:
        row = json.loads(first)
    except ValueError:
        return False
    return isinstance(row, dict) and isinstance(row.get("label"), list) and "labels" not in row


def _doccano(path: Path, taxonomy: Taxonomy) -> Iterator[RawRecord]:
    """Labels are `head:label`, or a label that only one head has. `case_id`, if it is there, is the id of the case."""
    for raw in raw_records(path, taxonomy):
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

"""Labels made for this project on public text that it may not carry: the text is found again where it lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence, Set
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from training.cases import READABLE, LabelledCase, parse_record, read_cases
from training.passages import read_file
from training.recipe import Source
from triage.case import Case
from triage.errors import InputError
from triage.taxonomy import Taxonomy


def read_readings(
    files: Iterable[Path],
    data: Path,
    sources: Sequence[Source],
    taxonomy: Taxonomy,
    training: Iterable[LabelledCase],
) -> list[LabelledCase]:
    """Training cases from lines `{"source", "labels", ...}` whose source is among `sources`.

    `source` is a path below `data`. A line names a passage of it by `sha256` and tells its `channel`, or the first
    `turns` turns of the conversation `id` of a labelled file, which must be one of the `training` cases. InputError if
    that is not there any more.
    """
    cases = {record.case for record in training}
    wanted: dict[str, dict[str, dict[str, Any]]] = {}
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            key = row["sha256"] if "sha256" in row else _beginning(row["id"], row["turns"])
            wanted.setdefault(row["source"], {})[key] = row
    found = []
    for path in sorted(wanted):
        if not any(fnmatch(path, source.path) for source in sources):
            continue
        rows = wanted[path]
        for key, words in _texts(data / path, taxonomy, cases):
            if row := rows.pop(key, None):
                record = {**words, "id": f"{Path(path).name}#{key[:40]}", "labels": row["labels"]}
                record |= {"channel": row["channel"]} if "channel" in row else {}
                found.append(parse_record({**record, "source": path, "split": "train"}, taxonomy))
        if rows:
            raise InputError(f"{data / path}: {len(rows)} passages that carry labels are missing")
    return found


def _beginning(name: str, turns: int) -> str:
    return f"{name}:{turns}"


def _texts(path: Path, taxonomy: Taxonomy, training: Set[Case]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a reading may be of, by the key that names it: passages, or all beginnings of training conversations."""
    if path.suffix.lower() not in READABLE:
        for passage in read_file(path):
            yield hashlib.sha256(passage.encode()).hexdigest(), {"text": passage}
        return
    for case in (record.case for record in read_cases([path], taxonomy)):
        if case.turns and case in training:
            for turns in range(1, len(case.turns)):
                yield _beginning(case.id, turns), {"turns": case.turns[:turns], "channel": case.channel}

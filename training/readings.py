"""Labels made for this project on public text that it may not carry: the text is found again where it lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from training.cases import LabelledCase, parse_record
from training.passages import read_file
from training.recipe import Source
from triage.errors import InputError
from triage.taxonomy import Taxonomy


def read_readings(
    files: Iterable[Path], data: Path, sources: Sequence[Source], taxonomy: Taxonomy
) -> list[LabelledCase]:
    """Training cases from lines `{"source", "labels", ...}` whose source is among `sources`.

    `source` is a path below `data`. A line names a passage of it by `sha256` and tells its `channel`, or the first
    `turns` turns of the training conversation `id` of a labelled file. InputError if that is not there any more.
    """
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
        for key, words in _texts(data / path):
            if row := rows.pop(key, None):
                record = {**words, "id": f"{Path(path).name}#{key[:40]}", "labels": row["labels"]}
                record |= {"channel": row["channel"]} if "channel" in row else {}
                found.append(parse_record({**record, "source": path, "split": "train"}, taxonomy))
        if rows:
            raise InputError(f"{data / path}: {len(rows)} passages that carry labels are missing")
    return found


def _beginning(name: str, turns: int) -> str:
    return f"{name}:{turns}"


def _texts(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a reading may be of, by the key that names it: passages, or all beginnings of training conversations."""
    if path.suffix != ".jsonl":
        for passage in read_file(path):
            yield hashlib.sha256(passage.encode()).hexdigest(), {"text": passage}
        return
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row.get("split", "train") == "train":
            for turns in range(1, len(row.get("turns", ()))):
                yield _beginning(row["id"], turns), {"turns": row["turns"][:turns], "channel": row["channel"]}

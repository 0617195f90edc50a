"""Labels made for this project on public text that it may not carry: the text is found again by its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
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
    """Training cases from lines `{"source", "sha256", "channel", "labels"}` whose source is among `sources`.

    `source` is a path below `data`, `sha256` that of the passage. InputError if a passage is not there any more.
    """
    wanted: dict[str, dict[str, dict[str, Any]]] = {}
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            wanted.setdefault(row["source"], {})[row["sha256"]] = row
    found = []
    for path in sorted(wanted.keys() & {source.path for source in sources}):
        rows = wanted[path]
        for passage in read_file(data / path):
            row = rows.pop(hashlib.sha256(passage.encode()).hexdigest(), None)
            if row:
                name = f"{Path(path).name}#{row['sha256'][:12]}"
                record = {"id": name, "text": passage, "channel": row["channel"], "labels": row["labels"]}
                found.append(parse_record({**record, "source": path, "split": "train"}, taxonomy))
        if rows:
            raise InputError(f"{data / path}: {len(rows)} passages that carry labels are missing")
    return found

"""What a merge did, as Markdown, and its records as a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from training.merge import Conflict, Merged
from training.tables import bullets
from triage.batch.atomic import atomic


def as_markdown(merged: Merged, show: int = 20) -> str:
    """Counts, then at most `show` open conflicts, resolved ones and problems."""
    resolved = [conflict for conflict in merged.conflicts if conflict.label is not None]
    parts = [
        f"{len(merged.records)} cases from {merged.passes} passes; {len(resolved)} conflicts resolved, "
        f"{len(merged.open)} left open, {len(merged.problems)} problems; "
        f"{merged.unlabelled} cases without labels left out",
        bullets(
            "Columns and names of labels not in the taxonomy",
            [f"{name} ({count})" for name, count in merged.unused.items()],
            show,
        ),
        bullets("Problems", merged.problems, show),
        bullets("Open: these heads have no label", map(_line, merged.open), show),
        bullets("Resolved", map(_line, resolved), show),
    ]
    return "\n\n".join(filter(None, parts))


def write_records(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """JSONL, one record a line; OutputError if it cannot be written."""
    with atomic(path) as part, part.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(json.dumps(record, ensure_ascii=False, default=str) + "\n" for record in records)


def _line(conflict: Conflict) -> str:
    said = ", ".join(f"{who} {label}" for who, label in conflict.given.items())
    return f"{conflict.id}: {conflict.head}: {said}" + ("" if conflict.label is None else f" -> {conflict.label}")

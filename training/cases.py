"""Labelled cases: a case, its labels (absent or null means unknown), evidence, source and split."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triage.case import Case
from triage.errors import InputError
from triage.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class LabelledCase:
    """One record of a labelled file. `labels` maps heads to a code, or to a list of codes for multi-label heads."""

    case: Case
    labels: dict[str, Any]
    evidence: tuple[str, ...] = ()
    source: str = ""
    split: str = "train"
    extra: dict[str, Any] = field(default_factory=dict)


def read_cases(paths: Iterable[Path], taxonomy: Taxonomy, split: str | None = None) -> list[LabelledCase]:
    """Read labelled JSONL files; InputError names the file and line. `split` keeps the records of one split."""
    found = []
    for path in paths:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            try:
                record = parse_record(json.loads(line), taxonomy)
            except (ValueError, KeyError, InputError) as error:
                raise InputError(f"{path}:{number}: {error}") from None
            if split in (None, record.split):
                found.append(record)
    return found


def parse_record(row: dict[str, Any], taxonomy: Taxonomy) -> LabelledCase:
    """A labelled case from its JSON object; heads outside the taxonomy are ignored, unknown labels are an error."""
    labels = taxonomy.labels(row.get("labels", {}))
    extra: dict[str, Any] = {name: row[name] for name in ("pair", "negative_share", "industry") if name in row}
    evidence = tuple(row.get("evidence", ()))
    return LabelledCase(Case.read(row), labels, evidence, row.get("source", ""), row.get("split", "train"), extra)

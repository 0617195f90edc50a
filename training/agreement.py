"""Agreement of two sets of labels for the same cases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training import metrics
from triage.errors import InputError
from triage.taxonomy import Taxonomy

Labels = Mapping[str, Mapping[str, Any]]


def read_labels(path: Path) -> dict[str, dict[str, Any]]:
    """Labels by case id from a JSONL file or folder: either `{"id", "labels": {...}}` or heads beside the id."""
    found = {}
    for file in sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]:
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            try:
                row = json.loads(line)
                found[str(row["id"])] = row.get("labels", row)
            except (ValueError, KeyError, AttributeError, TypeError) as error:
                raise InputError(f"{file}:{number}: a JSON object with an id is needed: {error!r}") from None
    return found


def agreement(taxonomy: Taxonomy, one: Labels, other: Labels) -> dict[str, dict[str, Any]]:
    """For every head: kappa (quadratic weights if ordered) or micro-F1, number of cases, ids of those that differ."""
    found: dict[str, dict[str, Any]] = {}
    for head in taxonomy.heads:
        both = [(i, one[i].get(head.name), other[i].get(head.name)) for i in one if i in other]
        known = [(i, a, b) for i, a, b in both if a is not None and b is not None]
        ids, pairs = [i for i, _, _ in known], [(a, b) for _, a, b in known]
        if not pairs:
            continue
        left, right = map(list, zip(*pairs, strict=True))
        if head.kind == "multi":
            figure = metrics.multi_label_f1(head, left, right)
            differ = [i for i, (a, b) in zip(ids, pairs, strict=True) if set(a) != set(b)]
        else:
            figure = metrics.kappa(head, left, right)
            differ = [i for i, (a, b) in zip(ids, pairs, strict=True) if str(a) != str(b)]
        found[head.name] = {"agreement": figure, "cases": len(ids), "differ": differ}
    return found

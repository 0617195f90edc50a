"""What a model answers on the cases it was made with, so that a running service can tell how far it has drifted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.cases import LabelledCase
from triage.artefact import Artefact, open_artefact, seal
from triage.result import TriageResult
from triage.triager import Triager


def profile(triager: Triager, records: Sequence[LabelledCase]) -> dict[str, Any]:
    """`cases`, the share of cases given each label (`labels`: head, code), and the mean share of unknown words."""
    answers = triager.pipe(record.case for record in records)
    results = [answer for answer in answers if isinstance(answer, TriageResult)]
    counts = {head.name: Counter[str]() for head in triager.taxonomy.heads}
    for result in results:
        for head, codes in result.codes.items():
            counts[head].update(codes)
    cases = max(1, len(results))
    return {
        "cases": len(results),
        "labels": {head: {code: count / cases for code, count in found.items()} for head, found in counts.items()},
        "unknown_words": sum(result.unknown_words for result in results) / cases,
    }


def add_profile(folder: Path, records: Sequence[LabelledCase]) -> Artefact:
    """Measure the profile of a finished model folder and keep it in its `metrics.json`."""
    artefact = open_artefact(folder)
    figures = artefact.metrics | {"profile": profile(Triager.load(folder), records)}
    (folder / "metrics.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1), "utf-8")
    return seal(folder, artefact.manifest.model_dump(exclude={"format", "files"}))

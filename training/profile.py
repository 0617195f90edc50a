"""What a model answers on the cases it was made with, so that a running service can tell how far it has drifted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from training.cases import LabelledCase
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


"""What each stage of a recipe is worth: agreement on dev of the network as it stands, kept in the build folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.cases import LabelledCase
from training.finetune import predict
from training.metrics import kappa
from training.model import TriageModel
from triage.encode import Encoded
from triage.taxonomy import Taxonomy


def agreement(taxonomy: Taxonomy, records: Sequence[LabelledCase], logits: NDArray[np.float32]) -> dict[str, float]:
    """Kappa of every single-label head from logits `[cases, labels]`: the largest one counts, nothing is calibrated."""
    found, first = {}, 0
    for head in taxonomy.heads:
        columns = slice(first, first + len(head.labels))
        first += len(head.labels)
        if head.kind == "multi":
            continue
        rows = [row for row, record in enumerate(records) if head.name in record.labels]
        given = [head.codes[place] for place in logits[rows, columns].argmax(1)]
        found[head.name] = round(kappa(head, [records[row].labels[head.name] for row in rows], given), 4)
    return found


@dataclass(frozen=True, slots=True)
class Stages:
    """Notes the agreement on `records` after each stage in `file`; a stage that is there already is left alone."""

    file: Path
    taxonomy: Taxonomy
    records: Sequence[LabelledCase]
    encoded: Sequence[Encoded]

    def __call__(self, name: str, model: TriageModel) -> None:
        rows = self.rows()
        if name not in rows:
            rows[name] = agreement(self.taxonomy, self.records, predict(model, self.encoded))
            self.file.write_text(json.dumps(rows, indent=1), "utf-8")

    def rows(self) -> dict[str, dict[str, float]]:
        """Stage by stage, kappa by head."""
        return dict(json.loads(self.file.read_text("utf-8"))) if self.file.exists() else {}

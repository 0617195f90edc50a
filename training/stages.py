"""What each stage of a recipe is worth: agreement on dev of the network as it stands, kept in the build folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.cases import LabelledCase
from training.choose import agreements, uncalibrated
from training.finetune import predict
from training.model import TriageModel
from triage.encode import Encoded
from triage.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Stages:
    """Notes the kappa of every single-label head on `records` after each stage in `file`, nothing calibrated.

    A stage that is there already is left alone.
    """

    file: Path
    taxonomy: Taxonomy
    records: Sequence[LabelledCase]
    encoded: Sequence[Encoded]

    def __call__(self, name: str, model: TriageModel) -> None:
        rows = self.rows()
        if name not in rows:
            answers = uncalibrated(self.taxonomy, predict(model, self.encoded))
            found = agreements(self.taxonomy, self.records, answers)
            single = [head.name for head in self.taxonomy.heads if head.kind != "multi"]
            rows[name] = {head: round(found[head], 4) for head in single}
            self.file.write_text(json.dumps(rows, indent=1), "utf-8")

    def rows(self) -> dict[str, dict[str, float]]:
        """Stage by stage, kappa by head."""
        return dict(json.loads(self.file.read_text("utf-8"))) if self.file.exists() else {}

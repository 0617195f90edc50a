"""What is chosen on dev while training: when to stop, and which weights to keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from training import metrics
from training.cases import LabelledCase
from training.evaluate import Answers, answers_of_scores
from training.finetune import predict
from training.model import TriageModel
from triage.artefact import HeadCalibration
from triage.classifier import probabilities
from triage.encode import Encoded
from triage.taxonomy import Taxonomy

Report = Callable[[int, float], None]


def uncalibrated(taxonomy: Taxonomy, logits: NDArray[np.floating]) -> Answers:
    """Answers from logits `[cases, labels]` as they are: the most probable label of every head."""
    scores, first = {}, 0
    for head in taxonomy.heads:
        columns = slice(first, first + len(head.labels))
        scores[head.name] = probabilities(head, logits[:, columns].astype(np.float64), HeadCalibration())
        first += len(head.labels)
    return answers_of_scores(taxonomy, scores)


def mean_agreement(taxonomy: Taxonomy, records: Sequence[LabelledCase], logits: NDArray[np.floating]) -> float:
    """`agreement_of` uncalibrated logits `[cases, labels]`."""
    return agreement_of(taxonomy, records, uncalibrated(taxonomy, logits))


def agreement_of(taxonomy: Taxonomy, records: Sequence[LabelledCase], answers: Answers) -> float:
    """Mean of those `agreements` that are not NaN; 0 if all are: then no answers are better than others."""
    mean = metrics.mean_of_measured(agreements(taxonomy, records, answers).values())
    return 0.0 if math.isnan(mean) else mean


def agreements(taxonomy: Taxonomy, records: Sequence[LabelledCase], answers: Answers) -> dict[str, float]:
    """Kappa of every head (micro-F1 of a multi-label head); NaN where that is undefined (`training.metrics`)."""
    found = {}
    for head in taxonomy.heads:
        rows = [row for row, record in enumerate(records) if head.name in record.labels]
        wanted = [records[row].labels[head.name] for row in rows]
        given = [answers.labels[head.name][row] for row in rows]
        measure = metrics.multi_label_f1 if head.kind == "multi" else metrics.kappa
        found[head.name] = measure(head, wanted, given)
    return found


@dataclass(slots=True)
class Choice:
    """Called after every epoch: notes the agreement on dev, keeps the best weights, says when to stop.

    `patience` is how many epochs in a row may be no better than the best (0: never stop).
    """

    model: TriageModel
    taxonomy: Taxonomy
    records: Sequence[LabelledCase]
    encoded: Sequence[Encoded]
    patience: int
    report: Report
    best: float = -1.0
    waited: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)

    def __call__(self, epoch: int) -> bool:
        """Whether to stop."""
        agreement = mean_agreement(self.taxonomy, self.records, predict(self.model, self.encoded, exact=False))
        self.report(epoch, agreement)
        if agreement > self.best:
            self.best, self.waited = agreement, 0
            self.weights = {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}
        else:
            self.waited += 1
        return 0 < self.patience <= self.waited

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on."""
        return {"best": self.best, "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.best, self.waited, self.weights = state["best"], state["waited"], state["weights"]

    def restore(self) -> None:
        """Put the best weights back into the network."""
        self.model.load_state_dict(self.weights)

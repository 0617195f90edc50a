"""The heads over ONNX Runtime: calibrated probabilities and what each word contributed. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from triage.artefact import Artefact, HeadCalibration
from triage.cores import cores
from triage.encode import Encoded, collate
from triage.errors import ArtefactError
from triage.taxonomy import Head

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prediction:
    """Scores of one case.

    `scores`: probabilities in label order for each head. `contributions`: for each head `[tokens, labels]`, what each
    token added to the logits before calibration, tokens of all windows in order and without padding.
    """

    scores: dict[str, Floats]
    contributions: dict[str, Floats]


def probabilities(head: Head, logits: Floats, calibration: HeadCalibration) -> Floats:
    """Calibrated probabilities `[..., labels]` from logits: softmax where labels exclude each other, else sigmoid."""
    scaled = logits / calibration.temperature
    if calibration.bias:
        scaled = scaled + np.asarray(calibration.bias)
    if head.kind == "multi":
        return np.asarray(1 / (1 + np.exp(-scaled)))
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


class Classifier:
    """One ONNX session. `threads` cases at a time are in the network, each on one core (0: as many as cores)."""

    def __init__(self, artefact: Artefact, threads: int = 0):
        self._heads = artefact.taxonomy.heads
        self._calibration = artefact.manifest.heads
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # as fast, and a long call leaves no memory behind
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                artefact.path("model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises classes of its own that share no base
            raise ArtefactError(
                f"model {artefact.folder}: model.onnx cannot be loaded: {type(error).__name__}"
            ) from error
        threads = threads or cores()
        self._map = ThreadPoolExecutor(threads, "network").map if threads > 1 else map
        self._inputs = [one.name for one in self._session.get_inputs()]

    def __call__(self, encoded: Sequence[Encoded], lexical: Sequence[Floats]) -> list[Prediction]:
        """Predictions in the order given. Each case has a call of its own, so nothing depends on its company.

        `lexical` holds the logits `[labels]` of the linear part for each case; both parts add up before calibration.
        """
        answers = self._map(self.forward, encoded)
        return [
            self._prediction(logits + added, contributions)
            for (logits, contributions), added in zip(answers, lexical, strict=True)
        ]

    def forward(self, encoded: Encoded) -> tuple[Floats, Floats]:
        """Logits `[labels]` of the network, and what each token added to them, `[tokens, labels]`."""
        batch = collate([encoded])
        feed = {name: getattr(batch, name) for name in self._inputs}
        logits, contributions = self._session.run(["logits", "contributions"], feed)
        present = batch.mask.reshape(-1) == 1
        return logits[0].astype(np.float64), contributions[0][present]

    def _prediction(self, logits: Floats, contributions: Floats) -> Prediction:
        scores, shares = {}, {}
        first = 0
        for head in self._heads:
            columns = slice(first, first + len(head.labels))
            scores[head.name] = probabilities(head, logits[columns], self._calibration[head.name])
            shares[head.name] = contributions[:, columns]
            first += len(head.labels)
        return Prediction(scores, shares)

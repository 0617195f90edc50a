"""From a trained model to the one in use, or a refusal with its reasons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from training.cases import LabelledCase
from training.compare_models import SideBySide, check_same_labels, compare_models
from training.registry import Registry
from training.tables import main_figure
from training.verdict import safety_losses
from triage.artefact import Artefact, open_artefact
from triage.errors import InputError
from triage.in_use import digest_of


@dataclass(frozen=True, slots=True)
class Promotion:
    """What came of it: the folder in use now, why the model was refused (empty if it was not), and the comparison.

    `comparison` is None where there was no model to compare with.
    """

    in_use: Path | None
    refused: tuple[str, ...]
    comparison: SideBySide | None


def promote(
    registry: Registry,
    model: Path,
    files: Sequence[Path],
    records: Sequence[LabelledCase],
    split: str,
    margin: float,
    policy: Path | None = None,
) -> Promotion:
    """Put a model into use unless it loses against the one in use on these records, which stays in use then.

    Refused is a model without figures of its own, with other labels, that does not meet the margin, or that loses
    severe recall or calibration. The first model of a folder has TF-IDF to beat, on the cases it was measured on.
    """
    artefact, current = open_artefact(model), registry.in_use()
    reasons: tuple[str, ...] = ()
    if not artefact.metrics:
        reasons = (f"{model}: the model comes without an evaluation (metrics.json)",)
    elif current is None:
        reasons = _below_baseline(artefact)
    elif digest_of(current.folder) == digest_of(model):
        reasons = (f"{model}: the model is in use already",)
    else:
        try:
            check_same_labels(current.taxonomy, artefact.taxonomy)
        except InputError as error:
            reasons = (str(error),)
    found = None
    if not reasons and current is not None:
        found = compare_models(current.folder, model, files, records, split, margin, policy)
        reasons = refusals(found)
    evidence = _evidence(found)
    if reasons:
        registry.refused(model, reasons, evidence)
        return Promotion(current.folder if current else None, reasons, found)
    return Promotion(registry.use(model, evidence).folder, (), found)


def refusals(found: SideBySide) -> tuple[str, ...]:
    """Why model b may not take the place of model a; empty if it may."""
    safety = safety_losses(found.comparison)
    if found.verdict.meets_margin:
        return safety
    losses = found.verdict.losses or ("the gain in mean agreement asked for is not shown",)
    return tuple(dict.fromkeys((*safety, *losses)))


def _below_baseline(artefact: Artefact) -> tuple[str, ...]:
    """Why a first model may not come into use: TF-IDF agrees better with the labels, by the model's own figures."""
    model, baseline = (artefact.metrics.get("systems", {}).get(name, {}) for name in ("model", "tfidf"))
    pairs = [(main_figure(model[head]), main_figure(baseline[head])) for head in model.keys() & baseline.keys()]
    measured = [pair for pair in pairs if not any(map(math.isnan, pair))]
    own, tfidf = (fmean(one) for one in zip(*measured, strict=True)) if measured else (0.0, 0.0)
    if own >= tfidf:
        return ()
    return (f"mean agreement is {own:.3f}; TF-IDF with logistic regression has {tfidf:.3f}",)


def _evidence(found: SideBySide | None) -> dict[str, Any]:
    """What the history keeps of a comparison: no text."""
    if found is None:
        return {}
    comparison = found.comparison
    return {
        "beside": found.a.digest,
        "data": found.data,
        "split": found.split,
        "margin": found.verdict.margin,
        "mean": asdict(comparison.mean),
        "severe": {name: asdict(gain) for name, gain in comparison.severe.items()},
        "calibration": asdict(comparison.calibration),
    }

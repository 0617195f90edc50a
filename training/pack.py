"""A trained network and what belongs to it as a sealed model folder with figures and cards."""

from __future__ import annotations

import datetime
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.card import write_card
from training.environment import commit, environment
from training.export import export_onnx, logits_of, prove_parity, save_weights
from training.model import TriageModel
from training.quantise import quantise
from triage.artefact import Artefact, HeadCalibration, seal
from triage.encode import Encoded
from triage.segment import Segmenter
from triage.wide import Wide

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a model folder. `window` and `roles` are those the encoder of cases was set to."""

    name: str
    version: str
    network: TriageModel
    tokenizer: Path
    taxonomy: Path
    segmenter: Segmenter
    window: int
    roles: int
    wide: Wide
    heads: Mapping[str, HeadCalibration]
    data_card: str


def pack(
    out: Path,
    contents: Contents,
    lineage: Mapping[str, Any],
    examples: Sequence[Encoded],
    measure: Callable[[Path], Mapping[str, Any]],
) -> Artefact:
    """Write the folder to `out`, whole or not at all, and open it. `measure` takes the finished folder to its figures.

    The weights must be rounded to half precision already. `examples` prove that torch and ONNX agree on them.
    """
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    shutil.copy(contents.taxonomy, partial / "taxonomy.yaml")
    shutil.copy(contents.tokenizer, partial / "tokenizer.json")
    (partial / "DATA.md").write_text(contents.data_card, "utf-8")
    save_weights(contents.network, partial)
    contents.wide.save(partial / "wide.npz")
    agreement = _export(contents.network, partial, examples)
    settings = {
        "name": contents.name,
        "version": contents.version,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "segmenter": contents.segmenter.engine,
        "words": contents.segmenter.words,
        "window": contents.window,
        "roles": contents.roles,
        "heads": contents.heads,
        "lineage": {
            **lineage,
            **agreement,
            "commit": commit(),
            "environment": environment(),
        },
    }
    seal(partial, settings)
    write_card(partial, measure(partial))
    artefact = seal(partial, settings)
    partial.rename(out)
    return Artefact(out, artefact.manifest, artefact.taxonomy)


def _export(network: TriageModel, folder: Path, examples: Sequence[Encoded]) -> dict[str, float]:
    """Write the eight-bit graph: how far ONNX Runtime was from torch before, and how far eight bits move the logits."""
    path = folder / "model.onnx"
    export_onnx(network, folder)
    exact = logits_of(path, examples)
    parity = prove_parity(network, examples, exact)
    quantise(path)
    moved = np.abs(logits_of(path, examples) - exact)
    return {"parity": parity, "eight_bit_mean": float(moved.mean()), "eight_bit_largest": float(moved.max())}

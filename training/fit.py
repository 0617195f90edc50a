"""The way from text to a model folder, stage by stage; every stage leaves its result in the build folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_model, save_model
from tokenizers import Tokenizer
from transformers import AutoModel

from training.calibrate import calibrate, loss_after_fit
from training.cases import LabelledCase, short_names
from training.examples import AUXILIARY_HEADS, read_auxiliary
from training.finetune import Example, train
from training.model import HeadShape, TriageModel
from training.noise import Noise
from training.pretrain import prepare_text, pretrain
from training.recipe import FinetuneStage, Recipe
from training.wide import wide_logits
from triage.artefact import HeadCalibration, sha256
from triage.encode import ROLES, Encoder
from triage.errors import InputError
from triage.segment import Segmenter
from triage.taxonomy import Taxonomy
from triage.wide import Wide

log = logging.getLogger(__name__)
_SHARES = (0.0, 0.3, 0.6, 1.0, 1.5)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all stages share: recipe, taxonomy, segmenter, and the folders read from and written to."""

    recipe: Recipe
    taxonomy: Taxonomy
    segmenter: Segmenter
    data: Path
    build: Path
    permissive_only: bool = False
    roles: int = len(ROLES)

    def encoder(self) -> Encoder:
        """Words to ids with the tokenizer of the build folder."""
        return Encoder.load(self.build / "tokenizer.json", self.recipe.shape.window_words, self.roles)

    def noise(self) -> Noise:
        """Training noise in terms of the tokenizer of the build folder."""
        stage = self.recipe.finetune
        return Noise.of(Tokenizer.from_file(str(self.build / "tokenizer.json")), stage.word_dropout, stage.rough_share)


def digests(files: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of every file by its short name."""
    return {name: sha256(file) for file, name in short_names(files).items()}


def claim(build: Path, job: Mapping[str, Any]) -> None:
    """Mark the build folder as that of this job, so that it may be gone on with; InputError if it holds other work."""
    mark, text = build / "job.json", json.dumps(job, ensure_ascii=False, sort_keys=True, indent=1)
    build.mkdir(parents=True, exist_ok=True)
    if any(build.iterdir()) and not (mark.is_file() and mark.read_text("utf-8") == text):
        raise InputError(f"build: {build} holds work of other data, another recipe or start; remove it or name another")
    mark.write_text(text, "utf-8")


def pretrained(shop: Workshop, cases: Sequence[LabelledCase]) -> Path:
    """Folder of the encoder pre-trained on the recipe's passages and the words of these training cases.

    Made if it is not there.
    """
    folder = shop.build / "encoder"
    if not folder.exists():
        if not (shop.build / "words.npy").exists():
            prepare_text(shop.recipe, shop.data, cases, shop.build, shop.permissive_only)
        pretrain(shop.recipe, shop.build)
    return folder


def intermediate(shop: Workshop, encoder_folder: Path, vote_ids: set[str]) -> Path:
    """Folder of the encoder after the auxiliary labels, made if it is not there."""
    folder = shop.build / "intermediate"
    stage = shop.recipe.intermediate
    kinds = ("votes", "polarity", "stars", "emotion", "abuse", "sarcasm")
    sources = shop.recipe.of_kind(*kinds, permissive_only=shop.permissive_only)
    if not sources or not stage.epochs:
        return encoder_folder
    if not folder.exists():
        examples = list(read_auxiliary(shop.data, sources, shop.segmenter, shop.encoder(), vote_ids))
        log.info("%d auxiliary examples", len(examples))
        model = new_model(encoder_folder, list(AUXILIARY_HEADS), shop.recipe.finetune)
        settings = shop.recipe.finetune.model_copy(
            update={"epochs": stage.epochs, "learning_rate": stage.learning_rate, "batch_words": stage.batch_words}
        )
        train(model, examples, settings, shop.noise(), seed=0)
        model.encoder.save_pretrained(folder)
    return folder


def new_model(encoder_folder: Path, heads: list[HeadShape], stage: FinetuneStage) -> TriageModel:
    """A network with fresh heads over the encoder of a folder (or a hub name): seed and dropout are the stage's."""
    torch.manual_seed(stage.seed)
    inner = stage.encoder_dropout
    encoder = AutoModel.from_pretrained(
        encoder_folder, dtype=torch.float32, hidden_dropout_prob=inner, attention_probs_dropout_prob=inner
    )
    return TriageModel(encoder, heads, stage.dropout)


def finetune(
    shop: Workshop, model: TriageModel, examples: Sequence[Example], stage: FinetuneStage, name: str
) -> TriageModel:
    """The model fine-tuned in place; kept in the build folder as `network-<name>` and taken from there."""
    weights = shop.build / f"network-{name}.safetensors"
    if weights.exists():
        load_model(model, weights)
    else:
        train(model, examples, stage, shop.noise(), stage.seed)
        save_model(model, str(weights))
    return model


def calibration(
    shop: Workshop, logits: NDArray[np.float32], wide: Wide, records: Sequence[LabelledCase]
) -> tuple[dict[str, HeadCalibration], Wide]:
    """Calibration of every head on dev records, and the linear part scaled by the share that suits each head best.

    `logits` `[cases, labels]` are the network's.
    """
    deep = logits.astype(np.float64)
    lexical = wide_logits(wide, records, shop.segmenter)
    fitted, shares, first = {}, np.zeros(deep.shape[1]), 0
    for head in shop.taxonomy.heads:
        rows = [row for row, record in enumerate(records) if head.name in record.labels]
        columns = slice(first, first + len(head.labels))
        labels = [records[row].labels[head.name] for row in rows]
        mixed = {share: deep[rows, columns] + share * lexical[rows, columns] for share in _SHARES}
        loss = {share: loss_after_fit(head, logits, labels) for share, logits in mixed.items()}
        best = min(loss, key=loss.__getitem__)
        log.info("%s: share of the linear part %.1f, losses %s", head.name, best, loss)
        shares[columns] = best
        fitted[head.name] = calibrate(head, mixed[best], labels)
        first += len(head.labels)
    return fitted, wide.scaled(shares)

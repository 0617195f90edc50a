"""A network of one layer and what it learns in a second; run as a program, it trains as one of several processes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_model
from transformers import BertConfig, BertModel

from training.cases import LabelledCase, parse_record
from training.checkpoint import Checkpoint
from training.choose import Choice
from training.examples import head_shapes, targets_of
from training.finetune import Example, train
from training.model import TriageModel
from training.noise import Noise
from training.processes import processes
from training.recipe import FinetuneStage
from triage.encode import Encoded
from triage.taxonomy import Taxonomy

LABELS = [{"code": code, "zh": code, "en": code} for code in ("a", "b")]
TAXONOMY = Taxonomy.model_validate(
    {
        "name": "t",
        "version": "1",
        "heads": [{"name": "letter", "kind": "single", "zh": "字", "en": "l", "labels": LABELS}],
    }
)
STAGE = FinetuneStage(epochs=4, learning_rate=0.01, batch_words=256, variants=0)
NOISE = Noise(0.1, 0.0, frozenset(), frozenset(range(5)), 4, 3)


def records() -> list[LabelledCase]:
    """The cases of `examples`, without their words."""
    labels = [{"letter": "a" if row % 2 else "b"} for row in range(40)]
    return [parse_record({"id": str(row), "text": "字", "labels": one}, TAXONOMY) for row, one in enumerate(labels)]


def examples() -> list[Example]:
    """40 cases of eight tokens; those labelled a hold token 7."""
    rng = np.random.default_rng(0)
    found = []
    for row in range(40):
        ids = [2, *(int(one) for one in rng.integers(8, 20, 6)), 3]
        ids[1 + row % 6] = 7 if row % 2 else 6
        found.append(Example(Encoded([ids], [[0] * 8], []), targets_of({"letter": "a" if row % 2 else "b"}, TAXONOMY)))
    return found


def network(dropout: float = 0.1) -> TriageModel:
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    inner = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    encoder = BertModel(BertConfig(vocab_size=20, max_position_embeddings=16, type_vocab_size=3, **size, **inner))
    return TriageModel(encoder, head_shapes(TAXONOMY), dropout)


def main(folder: Path) -> None:
    """Train without dropout; leave every process's weights, and a line for every epoch that was watched."""
    model, seen = network(dropout=0.0), folder / "epochs"

    def report(epoch: int, agreement: float) -> None:
        with seen.open("a") as lines:
            lines.write(f"{epoch} {agreement:.4f}\n")

    choice = Choice(model, TAXONOMY, records(), [one.encoded for one in examples()], 2, report)
    train(model, examples(), STAGE, NOISE, 1, choice, Checkpoint(folder / "checkpoint"))
    save_model(model, str(folder / f"{processes().process_index}.safetensors"))
    processes().end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

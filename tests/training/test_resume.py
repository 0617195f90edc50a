"""A run that was killed goes on to the very weights of a run that was not; the best epoch on dev is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the 'train' extra")
from transformers import BertConfig, BertModel  # noqa: E402

from training.cases import parse_record  # noqa: E402
from training.checkpoint import Checkpoint  # noqa: E402
from training.choose import Choice, mean_agreement  # noqa: E402
from training.examples import head_shapes, targets_of  # noqa: E402
from training.finetune import Example, predict, train  # noqa: E402
from training.model import TriageModel  # noqa: E402
from training.noise import Noise  # noqa: E402
from training.recipe import FinetuneStage  # noqa: E402
from training.search import search  # noqa: E402
from triage.encode import Encoded  # noqa: E402
from triage.taxonomy import Taxonomy  # noqa: E402

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


def examples() -> list[Example]:
    """40 cases of eight tokens; those labelled a hold token 7."""
    rng = np.random.default_rng(0)
    found = []
    for row in range(40):
        ids = [2, *(int(one) for one in rng.integers(8, 20, 6)), 3]
        ids[1 + row % 6] = 7 if row % 2 else 6
        found.append(Example(Encoded([ids], [[0] * 8], []), targets_of({"letter": "a" if row % 2 else "b"}, TAXONOMY)))
    return found


def network() -> TriageModel:
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    encoder = BertModel(BertConfig(vocab_size=20, max_position_embeddings=16, type_vocab_size=3, **size))
    return TriageModel(encoder, head_shapes(TAXONOMY), 0.1)


class Cut(Checkpoint):
    """Keeps the state and is killed right after."""

    def save(self, **parts: Any) -> None:
        super().save(**parts)
        if parts["progress"][0] == 2:
            raise KeyboardInterrupt


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole, cut = network(), network()
    train(whole, examples(), STAGE, NOISE, 1, None, Checkpoint(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        train(cut, examples(), STAGE, NOISE, 1, None, Cut(tmp_path / "cut"))
    again = network()
    train(again, examples(), STAGE, NOISE, 1, None, Checkpoint(tmp_path / "cut"))
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_the_best_epoch_is_kept_and_patience_ends_the_run() -> None:
    records = [
        parse_record({"id": str(row), "text": "字", "labels": {"letter": "a" if row % 2 else "b"}}, TAXONOMY)
        for row in range(40)
    ]
    model, seen = network(), []
    choice = Choice(model, TAXONOMY, records, [e.encoded for e in examples()], 2, lambda *event: seen.append(event))
    train(model, examples(), STAGE.model_copy(update={"epochs": 30}), NOISE, 1, choice)
    assert len(seen) < 30
    assert choice.best == max(agreement for _, agreement in seen)
    choice.restore()
    assert mean_agreement(TAXONOMY, records, predict(model, [e.encoded for e in examples()])) == choice.best


def test_search_begins_with_the_settings_given_and_finds_better_ones() -> None:
    tried: list[FinetuneStage] = []

    def agreement(stage: FinetuneStage, _number: int) -> float:
        tried.append(stage)
        return -abs(stage.class_balance - 0.1)

    best, value = search(STAGE, 12, agreement)
    assert tried[0] == STAGE
    assert value > agreement(STAGE, 0)
    assert best.epochs == STAGE.epochs

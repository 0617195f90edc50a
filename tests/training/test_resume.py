"""A run that was killed goes on to the very weights of a run that was not; the best epoch on dev is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the 'train' extra")
from tests.training.tiny import NOISE, STAGE, TAXONOMY, examples, network, records  # noqa: E402
from training.checkpoint import Checkpoint  # noqa: E402
from training.choose import Choice, mean_agreement  # noqa: E402
from training.finetune import predict, train  # noqa: E402
from training.recipe import FinetuneStage  # noqa: E402
from training.search import search  # noqa: E402


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
    model, seen = network(), []
    choice = Choice(model, TAXONOMY, records(), [e.encoded for e in examples()], 2, lambda *event: seen.append(event))
    train(model, examples(), STAGE.model_copy(update={"epochs": 30}), NOISE, 1, choice)
    assert len(seen) < 30
    assert choice.best == max(agreement for _, agreement in seen)
    choice.restore()
    assert mean_agreement(TAXONOMY, records(), predict(model, [e.encoded for e in examples()])) == choice.best


def test_search_begins_with_the_settings_given_and_finds_better_ones() -> None:
    tried: list[FinetuneStage] = []

    def agreement(stage: FinetuneStage, _number: int) -> float:
        tried.append(stage)
        return -abs(stage.class_balance - 0.1)

    best, value = search(STAGE, 12, agreement)
    assert tried[0] == STAGE
    assert value > agreement(STAGE, 0)
    assert best.epochs == STAGE.epochs


def test_a_search_that_is_stopped_says_nothing_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    def stopped(_stage: FinetuneStage, _number: int) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(STAGE, 2, stopped)
    assert capfd.readouterr().err == ""

"""What a recipe may say, and how fine-tuning fits itself to the amount of text."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from training.recipe import FinetuneStage, Source

GIVEN = FinetuneStage(epochs=6, patience=2, batch_words=4_096, least_steps=400)
SIZES = [  # words, batch, epochs, epochs between two looks at dev
    (15_000, 1_024, 30, 5),
    (45_000, 1_024, 12, 2),
    (150_000, 2_250, 6, 1),
    (1_000_000, 4_096, 6, 1),
]


@pytest.mark.parametrize(("words", "batch", "epochs", "every"), SIZES)
def test_few_cases_get_smaller_batches_then_more_epochs(words: int, batch: int, epochs: int, every: int) -> None:
    fitted = GIVEN.over(words)
    assert (fitted.batch_words, fitted.epochs, fitted.watch_every) == (batch, epochs, every)
    assert fitted.epochs * math.ceil(words / fitted.batch_words) >= GIVEN.least_steps


@pytest.mark.parametrize("words", [1, 15_000, 10_000_000])
def test_without_a_least_number_of_steps_nothing_changes(words: int) -> None:
    stage = GIVEN.model_copy(update={"least_steps": 0})
    assert stage.over(words) == stage


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "cases", "repeat": 2}, "repeat is for passages; given for cases"),
        ({"kind": "stars", "repeat": 2}, "repeat is for passages; given for stars"),
        ({"kind": "cases", "max_chars": 5}, "max_chars is for all kinds but cases"),
    ],
)
def test_a_source_says_nothing_that_is_not_done(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Source.model_validate({"path": "a", "licence": "own", "permissive": True, **given})

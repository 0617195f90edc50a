"""What teachers say is averaged, mixed with labels, and never fills in what is unknown."""

from __future__ import annotations

import random

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the 'train' extra")

from training.distil import beginnings, mean_answer, taught
from training.finetune import Example
from training.model import HeadShape
from triage.case import Case
from triage.encode import Encoded

SHAPES = [HeadShape("tier", 2), HeadShape("issues", 1, exclusive=False)]
NOTHING = Encoded([[0]], [[0]], [])


def test_the_mean_answer_is_of_probabilities() -> None:
    sure = np.array([[0.0, np.log(3), 0.0]], dtype=np.float32)
    other = np.array([[0.0, 0.0, np.log(3)]], dtype=np.float32)
    assert mean_answer([sure, other], SHAPES) == pytest.approx(np.array([[0.375, 0.625, 0.625]]))


def test_targets_mix_label_and_answer_and_unknown_stays_unknown() -> None:
    example = Example(NOTHING, np.array([1, 0, np.nan], dtype=np.float32))
    (lesson,) = taught([example], np.array([[0.5, 0.5, 0.9]], dtype=np.float32), 0.4)
    assert lesson.targets[:2] == pytest.approx([0.8, 0.2])
    assert np.isnan(lesson.targets[2])


def test_beginnings_are_shorter_and_start_alike() -> None:
    turns = [{"speaker": "customer", "text": f"\u7b2c{n}\u53e5"} for n in range(6)]
    case = Case.read({"id": "1", "turns": turns})
    cut = list(beginnings([case, Case.read({"id": "2", "text": "\u65e0"})], random.Random(0), each=2))  # noqa: S311
    assert len(cut) == 2
    for one in cut:
        assert one.turns == case.turns[: len(one.turns)]
        assert len(one.turns) < 6

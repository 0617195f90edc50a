"""The linear part says in serving what logistic regression says in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.baseline import Baseline
from training.cases import LabelledCase, read_cases
from training.recipe import WideStage
from training.wide import fit_wide, wide_logits
from triage.artefact import HeadCalibration
from triage.case import Case
from triage.classifier import probabilities
from triage.prepare import prepare
from triage.segment import Segmenter
from triage.taxonomy import load_taxonomy
from triage.wide import Block, Wide, character_sequences

TAXONOMY = load_taxonomy()
SEGMENTER = Segmenter()
SIZE = WideStage(words=200, characters=400)


@pytest.fixture(scope="module")
def records(root: Path) -> list[LabelledCase]:
    return read_cases([root / "data" / "cases" / "set_l.jsonl"], TAXONOMY)[:120]


@pytest.fixture(scope="module")
def wide(records: list[LabelledCase]) -> Wide:
    return fit_wide(records, TAXONOMY, SEGMENTER, SIZE)


def test_it_agrees_with_scikit_learn(records: list[LabelledCase], wide: Wide) -> None:
    expected = Baseline(TAXONOMY, SEGMENTER, features=(SIZE.words, SIZE.characters)).fit(records).predict(records[:30])
    logits, first = wide_logits(wide, records[:30], SEGMENTER), 0
    for head in TAXONOMY.heads:
        part = logits[:, first : first + len(head.labels)]
        assert probabilities(head, part, HeadCalibration()) == pytest.approx(expected[head.name], abs=2e-3), head.name
        first += len(head.labels)


def test_it_comes_back_from_disk(records: list[LabelledCase], wide: Wide, tmp_path: Path) -> None:
    wide.save(tmp_path / "wide.npz")
    loaded = Wide.load(tmp_path / "wide.npz")
    assert wide_logits(loaded, records[:5], SEGMENTER) == pytest.approx(
        wide_logits(wide, records[:5], SEGMENTER), abs=1e-2
    )


def test_scaling_is_by_label(records: list[LabelledCase], wide: Wide) -> None:
    factors = np.arange(wide.bias.size, dtype=float)
    doubled = wide_logits(wide.scaled(factors), records[:3], SEGMENTER)
    assert doubled == pytest.approx(wide_logits(wide, records[:3], SEGMENTER) * factors)


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.npz"
    np.savez(path, words=np.array([{"a": 1}], dtype=object), word_idf=np.ones(1))
    with pytest.raises(ValueError, match="pickle"):
        Wide.load(path)


def test_nothing_known_leaves_the_bias(wide: Wide) -> None:
    assert wide([]).logits == pytest.approx(wide.bias)


def test_contributions_of_all_sequences_add_up_to_the_logits(records: list[LabelledCase], wide: Wide) -> None:
    labels = range(wide.bias.size)
    for record in records[:10]:
        utterances = prepare(record.case, SEGMENTER)
        known = wide(utterances)
        assert known.contributions(labels).sum(0) + wide.bias == pytest.approx(known.logits)
        assert set(known.words) <= set(range(sum(len(said.words) for said in utterances)))


@pytest.mark.parametrize("text", ["退", "退款", "我要退款，退款"])
def test_a_sequence_stands_at_a_word_that_holds_one_of_its_characters(text: str) -> None:
    (said,) = utterances = prepare(Case.from_text(text), SEGMENTER)
    for sequence in {*character_sequences([said.text]), *(word.text for word in said.words)}:
        features = Block(np.array([sequence]), np.ones(1))
        known = Wide(features, features, np.ones((2, 1)), np.zeros(1))(utterances)
        assert known.words.size
        assert all(set(said.words[place].text) & set(sequence) for place in known.words)

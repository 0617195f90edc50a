"""The linear part beside the network, fitted as the baseline is but with as many features as may be shipped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from training.baseline import Baseline
from training.cases import LabelledCase
from training.recipe import WideStage
from triage.prepare import prepare
from triage.segment import Segmenter
from triage.taxonomy import Taxonomy
from triage.wide import Block, Wide


def fit_wide(records: Sequence[LabelledCase], taxonomy: Taxonomy, segmenter: Segmenter, stage: WideStage) -> Wide:
    """Logistic regression of every head over the most frequent sequences, as one table of weights."""
    fitted = Baseline(taxonomy, segmenter, features=(stage.words, stage.characters)).fit(records)
    weights, bias = [], []
    for head in taxonomy.heads:
        table, shift = fitted.linear(head)
        weights.append(table)
        bias.append(shift)
    table = np.concatenate(weights, axis=1)
    return Wide(_block(fitted.words), _block(fitted.characters), table, np.concatenate(bias))


def _block(vectoriser: TfidfVectorizer) -> Block:
    return Block(vectoriser.get_feature_names_out().astype(np.str_), vectoriser.idf_)


def wide_logits(wide: Wide, records: Sequence[LabelledCase], segmenter: Segmenter) -> NDArray[np.float64]:
    """Logits `[cases, labels]`."""
    return np.stack([wide(prepare(record.case, segmenter)).logits for record in records])

"""The yardsticks: TF-IDF with logistic regression, and the majority guess; same interface as the classifier."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import hstack
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from training.cases import LabelledCase
from triage.prepare import prepare
from triage.segment import Segmenter
from triage.taxonomy import Taxonomy

_ROLE_MARK = {"customer": "", "agent": "坐席_", "unknown": ""}


def case_words(record: LabelledCase, segmenter: Segmenter) -> list[str]:
    """Words of a case, lower-cased, an agent's words marked as such."""
    return [
        _ROLE_MARK[utterance.speaker] + word.text.lower()
        for utterance in prepare(record.case, segmenter)
        for word in utterance.words
    ]


class Baseline:
    """One linear model a head over TF-IDF of words (1 to 2) and characters (1 to 3).

    `kind="majority"` answers with the training shares whatever the text says.
    """

    def __init__(self, taxonomy: Taxonomy, segmenter: Segmenter, kind: str = "tfidf"):
        self.taxonomy = taxonomy
        self._segmenter = segmenter
        self._kind = kind
        self._words = TfidfVectorizer(analyzer=_word_ngrams, min_df=2, sublinear_tf=True)
        self._chars = TfidfVectorizer(analyzer=_char_ngrams, min_df=3, sublinear_tf=True)
        self._models: dict[str, Any] = {}

    def fit(self, records: Sequence[LabelledCase]) -> Baseline:
        """Learn from all records, each head from those that have its label."""
        words = self._segmented(records)
        self._words.fit(words)
        self._chars.fit(words)
        features = self._features(words).tocsr()
        for head in self.taxonomy.heads:
            rows = [i for i, record in enumerate(records) if head.name in record.labels]
            labels = [records[i].labels[head.name] for i in rows]
            if head.kind == "multi":
                targets = np.array([[code in codes for code in head.codes] for codes in labels], dtype=int)
                model: Any = OneVsRestClassifier(self._one(balanced=False))
            else:
                targets = np.array([head.index(code) for code in labels])
                model = self._one(balanced=True)
            self._models[head.name] = model.fit(features[rows], targets)
        return self

    def predict(self, records: Sequence[LabelledCase]) -> dict[str, NDArray[np.float64]]:
        """Probabilities `[cases, labels]` for each head."""
        features = self._features(self._segmented(records)).tocsr()
        scores = {}
        for head in self.taxonomy.heads:
            model = self._models[head.name]
            table = np.zeros((len(records), len(head.labels)))
            columns = range(len(head.labels)) if head.kind == "multi" else model.classes_
            table[:, list(columns)] = model.predict_proba(features)
            scores[head.name] = table
        return scores

    def _one(self, balanced: bool) -> Any:
        if self._kind == "majority":
            return DummyClassifier(strategy="prior")
        return LogisticRegression(C=4, max_iter=300, class_weight="balanced" if balanced else None)

    def _segmented(self, records: Sequence[LabelledCase]) -> list[list[str]]:
        return [case_words(record, self._segmenter) for record in records]

    def _features(self, words: list[list[str]]) -> Any:
        return hstack([self._words.transform(words), self._chars.transform(words)])


def _word_ngrams(words: list[str]) -> list[str]:
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def _char_ngrams(words: list[str]) -> list[str]:
    text = "".join(words)
    return [text[start : start + size] for size in (1, 2, 3) for start in range(len(text) - size + 1)]

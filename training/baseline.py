"""The yardsticks: TF-IDF with logistic regression, and the majority guess; same interface as the classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import hstack
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.multiclass import OneVsRestClassifier

from training.cases import LabelledCase
from triage.errors import InputError
from triage.prepare import prepare
from triage.segment import Segmenter
from triage.taxonomy import Head, Taxonomy
from triage.wide import character_sequences, marked_words, word_sequences

_FOLDS = 3
_NEVER_SEEN = -8.0


class Baseline:
    """One linear model a head over TF-IDF of words (1 to 2) and characters (1 to 3).

    `kind="majority"` answers with the training shares whatever the text says. `features` bounds the number of word
    and of character features (None: all).
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        segmenter: Segmenter,
        kind: str = "tfidf",
        features: tuple[int | None, int | None] = (None, None),
    ):
        self.taxonomy = taxonomy
        self._segmenter = segmenter
        self._kind = kind
        most = {"sublinear_tf": True}
        self.words = TfidfVectorizer(analyzer=word_sequences, min_df=2, max_features=features[0], **most)
        self.characters = TfidfVectorizer(analyzer=character_sequences, min_df=3, max_features=features[1], **most)
        self._models: dict[str, Any] = {}

    def fit(self, records: Sequence[LabelledCase]) -> Baseline:
        """Learn from all records, each head from those that have its label."""
        self._fit_heads(records, self._learnt_features(records))
        return self

    def predict(self, records: Sequence[LabelledCase]) -> dict[str, NDArray[np.float64]]:
        """Probabilities `[cases, labels]` for each head."""
        return self._scores(self._features(self._segmented(records)))

    def out_of_fold(
        self, records: Sequence[LabelledCase], groups: Sequence[int] | NDArray[np.int64]
    ) -> dict[str, NDArray[np.float64]]:
        """Probabilities `[cases, labels]` for each head, every case scored by models that saw no case of its group.

        Features are shared by the folds: they use no labels. InputError with fewer groups than folds.
        """
        if len(set(groups)) < _FOLDS:
            raise InputError(f"folds: at least {_FOLDS} unrelated cases are needed, given {len(set(groups))}")
        features = self._learnt_features(records)
        scores = {head.name: np.zeros((len(records), len(head.labels))) for head in self.taxonomy.heads}
        split = GroupKFold(_FOLDS, shuffle=True, random_state=0).split(features, groups=groups)
        for seen, held_out in split:
            self._fit_heads([records[row] for row in seen], features[seen])
            for name, table in self._scores(features[held_out]).items():
                scores[name][held_out] = table
        return scores

    def linear(self, head: Head) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights `[features, labels]` and bias `[labels]` of a fitted head; a label never seen gets a low bias."""
        model = self._models[head.name]
        size = len(self.words.vocabulary_) + len(self.characters.vocabulary_)
        lines = [_line(part, size) for part in (model.estimators_ if head.kind == "multi" else [model])]
        coefficients, intercepts = (np.concatenate(part) for part in zip(*lines, strict=True))
        seen = range(len(head.labels)) if head.kind == "multi" else model.classes_
        if head.kind != "multi" and len(model.classes_) == 2:
            coefficients, intercepts = (
                np.stack([-coefficients[0], coefficients[0]]) / 2,
                np.array([-1, 1]) * intercepts / 2,
            )
        weights, bias = np.zeros((coefficients.shape[1], len(head.labels))), np.full(len(head.labels), _NEVER_SEEN)
        weights[:, list(seen)], bias[list(seen)] = coefficients.T, intercepts
        return weights, bias

    def _fit_heads(self, records: Sequence[LabelledCase], features: Any) -> None:
        """Each head from the records that have its label; a head that none has, or only one label of, learns shares."""
        self._models = {}
        for head in self.taxonomy.heads:
            rows = [i for i, record in enumerate(records) if head.name in record.labels]
            if not rows:
                continue
            labels = [records[i].labels[head.name] for i in rows]
            if head.kind == "multi":
                targets = np.array([[code in codes for code in head.codes] for codes in labels], dtype=int)
                model: Any = OneVsRestClassifier(self._one(balanced=False))
            else:
                targets = np.array([head.index(code) for code in labels])
                model = self._one(balanced=True) if len(set(targets)) > 1 else DummyClassifier(strategy="prior")
            self._models[head.name] = model.fit(features[rows], targets)

    def _scores(self, features: Any) -> dict[str, NDArray[np.float64]]:
        scores = {}
        for head in self.taxonomy.heads:
            table = np.zeros((features.shape[0], len(head.labels)))
            if model := self._models.get(head.name):
                columns = range(len(head.labels)) if head.kind == "multi" else model.classes_
                table[:, list(columns)] = model.predict_proba(features)
            scores[head.name] = table
        return scores

    def _one(self, balanced: bool) -> Any:
        if self._kind == "majority":
            return DummyClassifier(strategy="prior")
        return LogisticRegression(C=4, max_iter=300, class_weight="balanced" if balanced else None)

    def _segmented(self, records: Sequence[LabelledCase]) -> list[list[str]]:
        return [marked_words(prepare(record.case, self._segmenter)) for record in records]

    def _learnt_features(self, records: Sequence[LabelledCase]) -> Any:
        """The features of records that the vocabulary is learnt from; InputError if there are no words at all."""
        words = self._segmented(records)
        if not any(words):
            raise InputError(f"cases: training cases with words are needed; given {len(records)} without any")
        for vectoriser in (self.words, self.characters):
            _fit_vocabulary(vectoriser, words)
        return self._features(words)

    def _features(self, words: list[list[str]]) -> Any:
        return hstack([self.words.transform(words), self.characters.transform(words)]).tocsr()


def _fit_vocabulary(vectoriser: TfidfVectorizer, words: list[list[str]]) -> None:
    """Sequences that at least `min_df` cases have; all of them where there are so few cases that none is left."""
    try:
        vectoriser.fit(words)
    except ValueError:
        vectoriser.set_params(min_df=1).fit(words)


def _line(model: Any, size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients and intercept of a linear model; a label that never (or always) occurred is a constant."""
    if hasattr(model, "coef_"):
        return model.coef_, model.intercept_
    return np.zeros((1, size)), np.array([-_NEVER_SEEN if model.y_[0] else _NEVER_SEEN])

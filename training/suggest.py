"""What to label next: cases that the model is unsure about, that may be rare, and that differ from each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from triage.policy import Policy
from triage.result import HeadResult, TriageResult
from triage.taxonomy import Head, Taxonomy

Scores = NDArray[np.float64]
_CANDIDATES = 4
_DIMENSIONS = 50
_RARE = 0.1
_LIKELY = 0.15


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A case to label: its position in the pool, how much it is worth (0 to 1, a rank in the pool), and why."""

    record: int
    worth: float
    reasons: tuple[str, ...]


def suggest(
    words: Sequence[str],
    scores: Mapping[str, Scores],
    taxonomy: Taxonomy,
    count: int,
    known: Mapping[str, Scores] | None = None,
    policy: Policy | None = None,
    seed: int = 0,
) -> list[Suggestion]:
    """Up to `count` cases, the most worthwhile first.

    `words` `[cases]` and the probabilities `scores` `[cases, labels]` of single-label heads are those of the pool;
    `known` has the number of labels `[labels]` seen so far, by head (None: as the model expects them in the pool).
    A case is worth more the less the model is sure of its labels, the rarer the labels that it may have, and, with a
    `policy`, the more probable a severe tier: such cases are what must not be missed. The best few times `count` are
    put into `count` clusters by their words, and each gives its best (Zhdanov, 2019).
    """
    heads = [head for head in taxonomy.heads if head.name in scores]
    shares = {head.name: _shares(scores[head.name], (known or {}).get(head.name)) for head in heads}
    reasons = [unsure(heads, scores), surprise(heads, scores, shares)]
    if policy is not None and policy.tier_head in scores:
        reasons.append(severity(taxonomy.head(policy.tier_head), policy, scores))
    worth = np.mean([_rank(values) for values in reasons], axis=0)
    best = np.argsort(-worth, kind="stable")[: _CANDIDATES * count]
    chosen = _spread([words[row] for row in best], worth[best], count, seed)
    rows = sorted(best[chosen].tolist(), key=lambda row: -worth[row])
    return [Suggestion(row, round(float(worth[row]), 3), _reasons(heads, scores, shares, row)) for row in rows]


def unsure(heads: Sequence[Head], scores: Mapping[str, Scores]) -> Scores:
    """How close the two best labels are, 0 to 1, as the mean over heads `[cases]`."""
    return np.asarray(np.mean([1 - _margin(scores[head.name]) for head in heads], axis=0))


def surprise(heads: Sequence[Head], scores: Mapping[str, Scores], shares: Mapping[str, Scores]) -> Scores:
    """Expected information of the labels in nats, given the shares seen so far, as the mean over heads `[cases]`."""
    return np.asarray(np.mean([scores[head.name] @ -np.log(shares[head.name]) for head in heads], axis=0))


def severity(head: Head, policy: Policy, scores: Mapping[str, Scores]) -> Scores:
    """The probability of a label that is severe by the policy `[cases]`."""
    return np.asarray(scores[head.name] @ np.array([str(code) in policy.severe for code in head.codes], dtype=float))


def scores_of(results: Sequence[TriageResult], taxonomy: Taxonomy) -> dict[str, Scores]:
    """Calibrated probabilities `[cases, labels]` of the single-label heads of a model's answers."""
    tables = {}
    for head in taxonomy.heads:
        answers = [result.heads[head.name] for result in results]
        rows = [one.scores for one in answers if isinstance(one, HeadResult)]
        if rows:
            tables[head.name] = np.array([[row.get(str(code), 0.0) for code in head.codes] for row in rows])
    return tables


def _shares(scores: Scores, known: Scores | None) -> Scores:
    """Shares of the labels, none of them 0."""
    counts = (scores.sum(0) if known is None else known) + 1
    return np.asarray(counts / counts.sum())


def _margin(table: Scores) -> Scores:
    ordered = np.sort(table, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2])


def _rank(values: Scores) -> Scores:
    """Places from 0 to 1, equals at the same one."""
    return np.asarray((rankdata(values) - 1) / max(1, len(values) - 1))


def _spread(words: Sequence[str], worth: Scores, count: int, seed: int) -> NDArray[np.int64]:
    """Positions of `count` cases, the best of each cluster; where clusters are fewer, the best of the rest."""
    if len(words) <= count:
        return np.arange(len(words))
    groups = MiniBatchKMeans(count, n_init=1, random_state=seed).fit_predict(_vectors(words), sample_weight=worth)
    order = np.argsort(-worth, kind="stable")
    _, first = np.unique(groups[order], return_index=True)
    leaders = order[np.sort(first)]
    rest = order[~np.isin(order, leaders)]
    return np.concatenate([leaders, rest])[:count]


def _vectors(words: Sequence[str]) -> Scores:
    table = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, max_features=30_000)
    features = table.fit_transform(words)
    size = min(_DIMENSIONS, features.shape[1] - 1, len(words) - 1)
    return np.asarray(normalize(TruncatedSVD(size, random_state=0).fit_transform(features) if size > 1 else features))


def _reasons(
    heads: Sequence[Head], scores: Mapping[str, Scores], shares: Mapping[str, Scores], row: int
) -> tuple[str, ...]:
    """The head the model is least sure of, and the rare labels that the case may well have."""
    head = min(heads, key=lambda head: float(_margin(scores[head.name][row : row + 1])[0]))
    values = scores[head.name][row]
    both = " / ".join(f"{_label(head, place)} {values[place]:.2f}" for place in np.argsort(-values)[:2])
    reasons = [f"unsure 拿不准: {head.name} {head.zh}: {both}"]
    for head in heads:
        for place in np.flatnonzero((shares[head.name] < _RARE) & (scores[head.name][row] >= _LIKELY)):
            share = scores[head.name][row][place]
            reasons.append(f"rare 少见: {head.name} {head.zh}: {_label(head, place)} {share:.2f}")
    return tuple(reasons)


def _label(head: Head, place: np.intp) -> str:
    label = head.labels[place]
    return f"{label.code} {label.zh}"

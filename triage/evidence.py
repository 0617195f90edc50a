"""The words behind an answer: signals and the clauses that added most to the labels, the strongest place first."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.classifier import Prediction
from triage.clauses import Clause, clauses
from triage.encode import Encoded
from triage.policy import Policy
from triage.prepare import Prepared
from triage.result import Evidence
from triage.signals import Lexicon, Signal
from triage.taxonomy import Taxonomy
from triage.wide import Occurrences

_PHRASES_PER_HEAD = 2
_LEAST_SCORE = 0.2  # of all labels but the neutral one; below, a head has nothing to show
_FEW_CHARACTERS = 8
_OF_SIGNAL = 0.4  # what a signal adds to its clause, as a share of the strongest clause
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Lean:
    """How a head leaves its neutral label: with which probability, and for which other label.

    `label` and `neutral` are places among the labels of all heads side by side.
    """

    head: str
    score: float
    label: int
    neutral: int


class EvidenceFinder:
    """Finds the words behind the answers of one model. Stateless after construction."""

    def __init__(self, policy: Policy, taxonomy: Taxonomy, lexicon: Lexicon):
        self._supports = policy.supports
        self._agent_words = lexicon.agent_words
        self._heads = taxonomy.heads

    def __call__(
        self,
        utterances: Sequence[Prepared],
        encoded: Encoded,
        lexical: Occurrences,
        prediction: Prediction,
        signals: Sequence[Signal],
    ) -> tuple[Evidence, ...]:
        """All signals, and for every head that may say something the clauses that added most to it.

        The places that decided most come first, each with one piece; what else they hold follows in the same order.
        """
        places = clauses(utterances, self._agent_words)
        leans = list(self._leans(prediction.scores))
        if not places or not leans:
            return tuple(self._of_signal(signal, 0.0) for signal in signals)
        gains = _gains(places, utterances, encoded, lexical, prediction, leans)
        stands_in = _stand_in(places, utterances, signals)
        weights = self._weights(gains, leans, signals, stands_in)
        phrases = [
            (place, _of_phrase(utterances, places[place], heads, weights[place]))
            for place, heads in _supported(gains, leans).items()
        ]
        named = [(place, self._of_signal(one, weights[place])) for one, place in zip(signals, stands_in, strict=True)]
        return _ranked([*phrases, *named])

    def _leans(self, scores: Mapping[str, Floats]) -> Iterator[_Lean]:
        first = 0
        for head in self._heads:
            if head.neutral is not None:
                neutral = head.index(head.neutral)
                others = scores[head.name].copy()
                score = 1 - float(others[neutral])
                others[neutral] = -1
                yield _Lean(head.name, score, first + int(others.argmax()), first + neutral)
            first += len(head.labels)

    def _weights(
        self, gains: Floats, leans: Sequence[_Lean], signals: Sequence[Signal], stands_in: Sequence[int]
    ) -> list[float]:
        """What each clause added to all heads, and a share of the strongest where a signal supports a head."""
        scores = {lean.head: lean.score for lean in leans}
        weights = np.linalg.norm(np.maximum(gains, 0) * list(scores.values()), axis=1)
        named = np.zeros(len(weights))
        for signal, place in zip(signals, stands_in, strict=True):
            supported = (scores.get(head, 0.0) for head in self._supports.get(signal.kind, ()))
            named[place] = max(named[place], *supported, 0.0)
        return list((weights + _OF_SIGNAL * weights.max() * named).tolist())

    def _of_signal(self, signal: Signal, weight: float) -> Evidence:
        supports = self._supports.get(signal.kind, ())
        return Evidence(signal.turn, signal.start, signal.end, signal.text, signal.kind, supports, "signal", weight)


def turn_curve(
    utterances: Sequence[Prepared], encoded: Encoded, prediction: Prediction, taxonomy: Taxonomy
) -> tuple[dict[str, float | int], ...]:
    """How far each turn speaks for dissatisfaction, 0 to 1 (0.5: neither way); empty without such a head."""
    if "dissatisfaction" not in {head.name for head in taxonomy.heads}:
        return ()
    head = taxonomy.head("dissatisfaction")
    neutral = head.index(head.neutral if head.neutral is not None else head.codes[0])
    shares = prediction.contributions[head.name]
    others = np.delete(shares, neutral, axis=1).max(axis=1)
    gains = np.zeros(len(utterances))
    for origin, gain in zip(encoded.tokens, others - shares[:, neutral], strict=True):
        if origin is not None:
            gains[origin.utterance] += gain
    scaled = gains * len(utterances)
    return tuple(
        {"turn": utterance.turn, "dissatisfaction": round(float(1 / (1 + np.exp(-value))), 4)}
        for utterance, value in zip(utterances, scaled, strict=True)
    )


def _gains(
    places: Sequence[Clause],
    utterances: Sequence[Prepared],
    encoded: Encoded,
    lexical: Occurrences,
    prediction: Prediction,
    leans: Sequence[_Lean],
) -> Floats:
    """What both parts of the model add in each clause for the label of each lean, against the neutral one.

    `[clauses, leans]`, divided by the root of the length, so that a clause is not strong by its length alone.
    """
    clause_of_word, clause_of_token = _owners(places, utterances, encoded)
    labels, neutrals = [lean.label for lean in leans], [lean.neutral for lean in leans]
    network = np.concatenate(list(prediction.contributions.values()), axis=1)
    gains = _summed(clause_of_token, network[:, labels] - network[:, neutrals], len(places))
    linear = lexical.contributions(labels) - lexical.contributions(neutrals)
    gains += _summed(clause_of_word[lexical.words], linear, len(places))
    characters = [end - start for start, end in (_range(utterances, place) for place in places)]
    return np.asarray(gains / np.sqrt(np.maximum(characters, _FEW_CHARACTERS))[:, None])


def _owners(places: Sequence[Clause], utterances: Sequence[Prepared], encoded: Encoded) -> tuple[Integers, Integers]:
    """The clause of every word of the case and of every token; -1 outside of all clauses."""
    firsts = np.cumsum([0, *(len(said.words) for said in utterances)]).tolist()
    of_word = np.full(firsts[-1], -1)
    of_start: dict[tuple[int, int], int] = {}
    for index, (position, first, last) in enumerate(places):
        of_word[firsts[position] + first : firsts[position] + last] = index
        for word in utterances[position].words[first:last]:
            of_start[position, word.start] = index
    of_token = [-1 if one is None else of_start.get((one.utterance, one.start), -1) for one in encoded.tokens]
    return of_word, np.array(of_token)


def _summed(owners: Integers, values: Floats, count: int) -> Floats:
    """Rows of `values` added up by owner, `[count, columns]`; an owner of -1 is nobody's."""
    return np.stack([np.bincount(owners + 1, column, count + 1)[1:] for column in values.T], axis=1)


def _supported(gains: Floats, leans: Sequence[_Lean]) -> dict[int, tuple[str, ...]]:
    """The strongest clauses of each head that may say something, and the heads that each supports."""
    supports: dict[int, tuple[str, ...]] = {}
    for lean, gain in zip(leans, gains.T, strict=True):
        if lean.score >= _LEAST_SCORE:
            for place in np.argsort(-gain, kind="stable")[:_PHRASES_PER_HEAD].tolist():
                if gain[place] > 0:
                    supports[place] = (*supports.get(place, ()), lean.head)
    return supports


def _ranked(pieces: Sequence[tuple[int, Evidence]]) -> tuple[Evidence, ...]:
    """By weight, but first one piece of each place: the first given."""
    seen: set[int] = set()
    keys = []
    for place, one in pieces:
        keys.append((place in seen, -one.weight))
        seen.add(place)
    return tuple(pieces[index][1] for index in sorted(range(len(pieces)), key=keys.__getitem__))


def _range(utterances: Sequence[Prepared], place: Clause) -> tuple[int, int]:
    words = utterances[place.utterance].words
    return words[place.first].start, words[place.last - 1].end


def _stand_in(places: Sequence[Clause], utterances: Sequence[Prepared], signals: Sequence[Signal]) -> list[int]:
    """The clause in which each signal begins, or the one before it where it is outside of all."""
    starts = []
    for place in places if signals else ():
        said = utterances[place.utterance]
        starts.append((said.turn, said.offset + said.aligned.starts[said.words[place.first].start]))
    return [max(0, bisect_right(starts, (signal.turn, signal.start)) - 1) for signal in signals]


def _of_phrase(utterances: Sequence[Prepared], place: Clause, supports: tuple[str, ...], weight: float) -> Evidence:
    said, (first, last) = utterances[place.utterance], _range(utterances, place)
    start, end = said.original(first, last)
    return Evidence(said.turn, start, end, said.text[first:last], "model", supports, "model", weight)

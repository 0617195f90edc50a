"""The words behind an answer: signals and the clauses that added most to the labels, the strongest place first."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.classifier import Prediction
from triage.clauses import Clause, clauses
from triage.encode import Encoded
from triage.policy import Policy
from triage.prepare import Prepared
from triage.result import Evidence
from triage.signals import Signal
from triage.taxonomy import Head, Taxonomy
from triage.wide import Occurrences

_PHRASES_PER_HEAD = 2
_FEW_CHARACTERS = 8
_LENGTH_POWER = 0.35
_SIGNAL = 0.4
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Lean:
    """How a head leaves its neutral label: for which label, how probably, and whether that may be an answer."""

    head: Head
    neutral: int
    label: int
    score: float
    answers: bool

    @classmethod
    def of(cls, head: Head, scores: Floats) -> _Lean:
        neutral = head.index(head.neutral if head.neutral is not None else head.codes[0])
        label = int(np.where(np.arange(scores.size) == neutral, -1, scores).argmax())
        return cls(head, neutral, label, float(1 - scores[neutral]), bool(scores[label] >= 0.5 * scores.max()))


def collect(
    utterances: Sequence[Prepared],
    encoded: Encoded,
    lexical: Occurrences,
    prediction: Prediction,
    signals: Sequence[Signal],
    policy: Policy,
    taxonomy: Taxonomy,
) -> tuple[Evidence, ...]:
    """All signals, and for every head that says something its strongest clauses.

    The places that decided most come first, each with one piece; what else they hold comes after, in the same order.
    """
    places = clauses(utterances)
    leans = [_Lean.of(head, prediction.scores[head.name]) for head in taxonomy.heads if head.neutral is not None]
    if not places or not leans:
        return tuple(_of_signal(signal, policy, 0.0) for signal in signals)
    gains = _gains(places, utterances, encoded, lexical, prediction, leans, taxonomy)
    starts = [_start(utterances, place) for place in places]
    stands_in = [max(0, bisect_right(starts, (signal.turn, signal.start)) - 1) for signal in signals]
    weights = _weights(gains, leans, [policy.supports.get(one.kind, ()) for one in signals], stands_in)
    pieces = [(place, _of_signal(one, policy, weights[place])) for one, place in zip(signals, stands_in, strict=True)]
    supports: dict[int, tuple[str, ...]] = {}
    for lean, gain in zip(leans, gains.T, strict=True):
        for place in np.argsort(-gain, kind="stable")[:_PHRASES_PER_HEAD].tolist() if lean.answers else ():
            if gain[place] > 0:
                supports[place] = (*supports.get(place, ()), lean.head.name)
    pieces += [(one, _of_phrase(utterances, places[one], heads, weights[one])) for one, heads in supports.items()]
    return _ranked(pieces)


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


def _ranked(pieces: Sequence[tuple[int, Evidence]]) -> tuple[Evidence, ...]:
    """By weight; of each place one piece, then the rest. The first piece given of a place leads it."""
    seen: set[int] = set()
    keys = []
    for place, one in pieces:
        keys.append((place in seen, -one.weight))
        seen.add(place)
    order = sorted(range(len(pieces)), key=keys.__getitem__)
    return tuple(pieces[index][1] for index in order)


def _gains(
    places: Sequence[Clause],
    utterances: Sequence[Prepared],
    encoded: Encoded,
    lexical: Occurrences,
    prediction: Prediction,
    leans: Sequence[_Lean],
    taxonomy: Taxonomy,
) -> Floats:
    """What both parts of the model add in each clause for the label of a lean and against the neutral one.

    `[clauses, leans]`, for each character of a clause that is not short.
    """
    offsets = np.cumsum([0, *(len(said.words) for said in utterances)])
    owner = np.full(offsets[-1], -1)
    of_word = {}
    for index, place in enumerate(places):
        owner[offsets[place.utterance] + place.first : offsets[place.utterance] + place.last] = index
        for word in utterances[place.utterance].words[place.first : place.last]:
            of_word[place.utterance, word.start] = index
    of_token = [-1 if one is None else of_word.get((one.utterance, one.start), -1) for one in encoded.tokens]
    shares = [prediction.contributions[lean.head.name] for lean in leans]
    network = np.stack([one[:, lean.label] - one[:, lean.neutral] for one, lean in zip(shares, leans, strict=True)], 1)
    gains = np.zeros((len(places) + 1, len(leans)))
    np.add.at(gains, of_token, network)
    np.add.at(gains, owner[lexical.words], lexical.contributions(_directions(leans, taxonomy)))
    length = np.array([_length(utterances, place) for place in places])
    return gains[:-1] / np.maximum(length, _FEW_CHARACTERS)[:, None] ** _LENGTH_POWER


def _directions(leans: Sequence[_Lean], taxonomy: Taxonomy) -> Floats:
    """For each lean 1 at its label and -1 at the neutral one, `[labels of all heads, leans]`."""
    firsts, first = {}, 0
    for head in taxonomy.heads:
        firsts[head.name] = first
        first += len(head.labels)
    directions = np.zeros((first, len(leans)))
    for column, lean in enumerate(leans):
        directions[firsts[lean.head.name] + lean.label, column] = 1
        directions[firsts[lean.head.name] + lean.neutral, column] = -1
    return directions


def _weights(
    gains: Floats, leans: Sequence[_Lean], supports: Sequence[Sequence[str]], stands_in: Sequence[int]
) -> list[float]:
    """The weight of each clause."""
    expected = gains * [lean.score for lean in leans]
    weights = expected.max(1) + expected.mean(1)
    scores = {lean.head.name: lean.score for lean in leans}
    bonus = np.zeros(len(weights))
    for heads, place in zip(supports, stands_in, strict=True):
        bonus[place] = max(bonus[place], *(scores.get(head, 0.0) for head in heads), 0.0)
    return list((weights + _SIGNAL * max(weights.max(), 0.0) * bonus).tolist())


def _start(utterances: Sequence[Prepared], place: Clause) -> tuple[int, int]:
    said = utterances[place.utterance]
    return said.turn, said.offset + said.aligned.starts[said.words[place.first].start]


def _length(utterances: Sequence[Prepared], place: Clause) -> int:
    words = utterances[place.utterance].words
    return words[place.last - 1].end - words[place.first].start


def _of_signal(signal: Signal, policy: Policy, weight: float) -> Evidence:
    supports = policy.supports.get(signal.kind, ())
    return Evidence(signal.turn, signal.start, signal.end, signal.text, signal.kind, supports, "signal", weight)


def _of_phrase(utterances: Sequence[Prepared], place: Clause, supports: tuple[str, ...], weight: float) -> Evidence:
    said = utterances[place.utterance]
    first, last = said.words[place.first].start, said.words[place.last - 1].end
    start, end = said.original(first, last)
    return Evidence(said.turn, start, end, said.text[first:last], "model", supports, "model", weight)

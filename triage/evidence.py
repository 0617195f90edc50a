"""The words behind an answer: signals first, then the words that added most to the winning label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.classifier import Prediction
from triage.encode import Encoded, TokenOrigin
from triage.policy import Policy
from triage.prepare import Prepared
from triage.result import Evidence
from triage.signals import Signal
from triage.taxonomy import Taxonomy

_PHRASE_CHARACTERS = 14
_PHRASES_PER_HEAD = 2
_CLAUSE_ENDS = frozenset(",。!?;、~…:\n,. ")


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A stretch of one utterance and how much it added."""

    utterance: int
    start: int
    end: int
    weight: float


def collect(
    utterances: Sequence[Prepared],
    encoded: Encoded,
    prediction: Prediction,
    signals: Sequence[Signal],
    policy: Policy,
    taxonomy: Taxonomy,
) -> tuple[Evidence, ...]:
    """Evidence for every head that says something: signals in order of speech, then phrases, strongest first."""
    found = [_of_signal(signal, policy) for signal in signals]
    origins = [origin for window in encoded.origins for origin in window]
    by_range: dict[tuple[int, int, int], Evidence] = {}
    for head in taxonomy.heads:
        if head.neutral is None:
            continue
        neutral = head.index(head.neutral)
        scores = prediction.scores[head.name].copy()
        scores[neutral] = -1
        best = int(scores.argmax())
        if prediction.scores[head.name][best] < 0.5 * prediction.scores[head.name].max():
            continue
        shares = prediction.contributions[head.name]
        gain = shares[:, best] - shares[:, neutral]
        for phrase in best_phrases(utterances, origins, gain):
            one = _of_phrase(utterances[phrase.utterance], phrase, head.name)
            known = by_range.get((one.turn, one.start, one.end))
            supports = (*known.supports, head.name) if known else one.supports
            weight = max(one.weight, known.weight) if known else one.weight
            by_range[one.turn, one.start, one.end] = Evidence(
                one.turn, one.start, one.end, one.text, one.kind, supports, one.source, weight
            )
    from_model = sorted(by_range.values(), key=lambda one: -one.weight)
    return (*found, *from_model)


def best_phrases(
    utterances: Sequence[Prepared], origins: Sequence[TokenOrigin | None], gain: NDArray[np.float64]
) -> list[_Phrase]:
    """The clauses that gained most, at most two; an agent's words are no evidence of what the customer feels."""
    totals: dict[tuple[int, int, int], float] = {}
    for origin, value in zip(origins, gain, strict=True):
        if origin is None or utterances[origin.utterance].speaker == "agent":
            continue
        start, end = _clause(utterances[origin.utterance].text, origin.start)
        key = (origin.utterance, start, end)
        totals[key] = totals.get(key, 0.0) + float(value)
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    return [_Phrase(*key, weight) for key, weight in ranked[:_PHRASES_PER_HEAD] if weight > 0]


def _clause(text: str, position: int) -> tuple[int, int]:
    start = position
    while start > 0 and text[start - 1] not in _CLAUSE_ENDS:
        start -= 1
    end = position
    while end < len(text) and text[end] not in _CLAUSE_ENDS:
        end += 1
    if end - start > 2 * _PHRASE_CHARACTERS:
        start = start + (position - start) // _PHRASE_CHARACTERS * _PHRASE_CHARACTERS
        end = min(end, start + _PHRASE_CHARACTERS)
    return start, max(end, start + 1)


def _of_signal(signal: Signal, policy: Policy) -> Evidence:
    supports = policy.supports.get(signal.kind, ())
    return Evidence(signal.turn, signal.start, signal.end, signal.text, signal.kind, supports, "signal")


def _of_phrase(utterance: Prepared, phrase: _Phrase, head: str) -> Evidence:
    start, end = utterance.original(phrase.start, phrase.end)
    text = utterance.text[phrase.start : phrase.end]
    return Evidence(utterance.turn, start, end, text, "model", (head,), "model", phrase.weight)

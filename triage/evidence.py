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


_Clause = tuple[int, int, int]  # utterance, start, end


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
    clauses = _clauses(utterances, encoded.tokens)
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
        for phrase in best_phrases(clauses, gain):
            one = _of_phrase(utterances[phrase.utterance], phrase, head.name)
            known = by_range.get((one.turn, one.start, one.end))
            supports = (*known.supports, head.name) if known else one.supports
            weight = max(one.weight, known.weight) if known else one.weight
            by_range[one.turn, one.start, one.end] = Evidence(
                one.turn, one.start, one.end, one.text, one.kind, supports, one.source, weight
            )
    from_model = sorted(by_range.values(), key=lambda one: -one.weight)
    return (*found, *from_model)


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


def best_phrases(clauses: Sequence[_Clause | None], gain: NDArray[np.float64]) -> list[_Phrase]:
    """The clauses that gained most, at most two; `clauses` and `gain` have an entry for each token."""
    totals: dict[_Clause, float] = {}
    for clause, value in zip(clauses, gain, strict=True):
        if clause is not None:
            totals[clause] = totals.get(clause, 0.0) + float(value)
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    return [_Phrase(*clause, weight) for clause, weight in ranked[:_PHRASES_PER_HEAD] if weight > 0]


def _clauses(utterances: Sequence[Prepared], origins: Sequence[TokenOrigin | None]) -> list[_Clause | None]:
    """The clause that each token stands in; None for an agent's words: they do not tell what the customer feels."""
    found: list[_Clause | None] = []
    for origin in origins:
        if origin is None or utterances[origin.utterance].speaker == "agent":
            found.append(None)
        else:
            found.append((origin.utterance, *_clause(utterances[origin.utterance].text, origin.start)))
    return found


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

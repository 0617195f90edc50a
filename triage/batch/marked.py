"""A case as it may be shown: identifiers masked, evidence marked in place, nothing that could steer a terminal."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from triage.alignment import AlignedText
from triage.case import Case, Speaker, Utterance
from triage.privacy import mask_original
from triage.result import Evidence, TriageResult

SPEAKER_NAMES: dict[Speaker, str] = {"customer": "客户", "agent": "客服", "unknown": "未知"}
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text and the evidence it is part of; none for plain text."""

    text: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkedTurn:
    """One utterance to show."""

    turn: int
    speaker: Speaker
    pieces: tuple[Piece, ...]


def printable(text: str) -> str:
    """Without control characters and writing-direction marks; line breaks and tabs stay."""
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def mark(case: Case, evidence: Sequence[Evidence]) -> list[MarkedTurn]:
    """The utterances of a case, masked, cut where evidence begins and ends."""
    turns = []
    for utterance in case.utterances():
        aligned = mask_original(utterance.text)
        spans = [(*_place(aligned, utterance, one), one) for one in evidence if one.turn == utterance.turn]
        turns.append(MarkedTurn(utterance.turn, utterance.speaker, _pieces(aligned.text, spans)))
    return turns


def mask_result(case: Case, result: TriageResult) -> TriageResult:
    """The result with the words of its evidence and lapses masked in the context of the case."""
    wanted = {one.turn for one in (*result.evidence, *result.agent_lapses)}
    shown = {turn.turn: (mask_original(turn.text), turn) for turn in case.utterances() if turn.turn in wanted}

    def masked(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
        return tuple(_masked(one, *shown[one.turn]) for one in evidence if one.turn in shown)

    return replace(result, evidence=masked(result.evidence), agent_lapses=masked(result.agent_lapses))


def _masked(one: Evidence, aligned: AlignedText, utterance: Utterance) -> Evidence:
    start, end = _place(aligned, utterance, one)
    return replace(one, text=printable(aligned.text[start:end]))


def _place(aligned: AlignedText, utterance: Utterance, one: Evidence) -> tuple[int, int]:
    """Where evidence stands in the masked text. A placeholder that it touches belongs to it whole."""
    start = bisect_right(aligned.ends, one.start - utterance.offset)
    return start, max(start, bisect_left(aligned.starts, one.end - utterance.offset))


def _pieces(text: str, spans: Sequence[tuple[int, int, Evidence]]) -> tuple[Piece, ...]:
    cuts = sorted({0, len(text), *(cut for start, end, _ in spans for cut in (start, end))})
    pieces = []
    for start, end in pairwise(cuts):
        covering = tuple(one for first, last, one in spans if first <= start and end <= last)
        pieces.append(Piece(printable(text[start:end]), covering))
    return tuple(pieces)

"""The words that show what a number stands for: a few masked excerpts for each cell that can be opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from triage.batch.marked import Piece, mark, printable
from triage.batch.names import value_name
from triage.batch.top import Highest
from triage.case import Case
from triage.result import Evidence, TriageResult

Key = tuple[str, ...]
PER_KEY = 3
_MAX_KEYS = 4_000
_BEFORE, _LENGTH = 30, 110


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of one utterance around its evidence, and where it comes from."""

    id: str
    speaker: str
    pieces: tuple[Piece, ...]
    facts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words alone."""
        return "".join(piece.text for piece in self.pieces)


class Excerpts:
    """The contacts that rank highest under each key. Keys that come after the first `_MAX_KEYS` get none."""

    def __init__(self) -> None:
        self._kept: dict[Key, Highest[Excerpt]] = {}

    def offer(self, case: Case, result: TriageResult, ranks: Iterable[tuple[Key, float, Evidence | None]]) -> None:
        """Offer a contact under several keys, each with its rank and the words to show (None: the strongest)."""
        made: dict[Evidence | None, Excerpt] = {}
        for key, rank, about in ranks:
            kept = self._kept.get(key)
            if kept is None and len(self._kept) < _MAX_KEYS:
                kept = self._kept[key] = Highest(PER_KEY)
            if kept is not None and kept.wants(rank):
                excerpt = made.get(about) or make_excerpt(case, result, about)
                made[about] = excerpt
                kept.add(rank, excerpt)

    def of(self, *key: str) -> list[Excerpt]:
        """The excerpts kept for a key, the highest first."""
        kept = self._kept.get(key)
        return [excerpt for _, excerpt in kept.ranked()] if kept else []

    def with_word(self, word: str) -> list[Excerpt]:
        """Kept excerpts in which a word stands."""
        found: dict[str, Excerpt] = {}
        for kept in self._kept.values():
            for _, excerpt in kept.ranked():
                if len(found) < PER_KEY and word in excerpt.text.lower():
                    found.setdefault(excerpt.id, excerpt)
        return list(found.values())


def make_excerpt(case: Case, result: TriageResult, about: Evidence | None = None) -> Excerpt:
    """The words around `about`, or around the first evidence; the beginning where there is none."""
    shown = [about] if about else list(result.evidence)
    turns = mark(case, shown)
    focus = about or next(iter(result.evidence), None)
    turn = next((one for one in turns if focus and one.turn == focus.turn), turns[0])
    facts = [value_name(value) for value in (case.channel, case.product, case.region, case.agent_id) if value]
    day = [case.created_at.strftime("%Y-%m-%d")] if case.created_at else []
    return Excerpt(printable(result.id), turn.speaker, _around(turn.pieces), tuple(facts[:4] + day))


def _around(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The stretch of `_LENGTH` characters that begins a little before the first marked piece."""
    marked = next((place for place, piece in enumerate(pieces) if piece.evidence), 0)
    first = max(0, sum(len(piece.text) for piece in pieces[:marked]) - _BEFORE)
    cut, done = [Piece("…")] if first else [], 0
    for piece in pieces:
        start, end = max(first - done, 0), min(first + _LENGTH - done, len(piece.text))
        if start < end:
            cut.append(Piece(piece.text[start:end], piece.evidence))
        done += len(piece.text)
    return (*cut, Piece("…")) if done > first + _LENGTH else tuple(cut)

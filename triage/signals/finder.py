"""Hits of the phrases, less those whose surroundings say they are not meant, less those taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from triage.case import Speaker
from triage.prepare import Prepared
from triage.signals.lexicon import Kind, Lexicon
from triage.signals.phrase import HIT, lower

_REACH = 30
_AGENT_REACH = 20
_STRETCH_ENDS = re.compile(r"[。!?; ]")
_LAST_PART = 0.6
_LAST_CHARACTERS = 40
_LAST_TURNS = 3


@dataclass(frozen=True, slots=True)
class Signal:
    """One fact: the kind, and where the customer said it.

    `start` and `end` are offsets in characters into the original turn, or into `Case.text`; `text` is that stretch
    as the pipeline reads it: normalised and with identifiers masked, so nothing private leaves by it.
    """

    kind: str
    turn: int
    start: int
    end: int
    text: str
    speaker: Speaker


@dataclass(frozen=True, slots=True)
class _Hit:
    """A range of one utterance's `text`; `taken_back` says that its own words withdraw the threat."""

    kind: Kind
    place: int
    start: int
    end: int
    taken_back: bool = False


class SignalFinder:
    """Finds the signals of one contact. Stateless after construction, so one finder may serve many threads."""

    def __init__(self, lexicon: Lexicon):
        self.lexicon = lexicon

    def __call__(self, utterances: Sequence[Prepared]) -> list[Signal]:
        """Signals of the customer's words, sorted by turn and start. What the agent says is no signal."""
        texts = ["" if spoken.speaker == "agent" else lower(spoken.text) for spoken in utterances]
        found = [
            hit for place, spoken in enumerate(utterances) for hit in self._hits(place, texts[place], spoken.speaker)
        ]
        end = _closing_part(texts)
        meant = [hit for hit in found if not hit.taken_back and (not hit.kind.at_end or (hit.place, hit.start) >= end)]
        ends = [*self._withdrawals(texts, utterances), *((h.kind, h.place, h.start) for h in found if h.taken_back)]
        kept = [hit for hit in meant if not _withdrawn_later(hit, ends)]
        signals = [_signal(hit, utterances[hit.place]) for hit in kept]
        return sorted(signals, key=lambda signal: (signal.turn, signal.start, signal.kind))

    def _hits(self, place: int, text: str, speaker: Speaker) -> Iterator[_Hit]:
        for kind in self.lexicon.kinds.values():
            for start, end in _matches(kind, text):
                window = _window(text, start, end)
                if any(veto(window) for veto in kind.vetoes):
                    continue
                if speaker == "unknown" and self._agent_speaks(text, start, end):
                    continue
                yield _Hit(kind, place, start, end, kind.withdrawable and self.lexicon.withdrawn(window))

    def _withdrawals(self, texts: Sequence[str], utterances: Sequence[Prepared]) -> Iterator[tuple[None, int, int]]:
        """Where all threats made so far are taken back."""
        for place, text in enumerate(texts):
            for match in self.lexicon.withdrawals.finditer(text):
                start, end = match.span()
                by_agent = utterances[place].speaker == "unknown" and self._agent_speaks(text, start, end)
                if not by_agent and not self.lexicon.still_meant.search(_window(text, start, end)):
                    yield None, place, start

    def _agent_speaks(self, text: str, start: int, end: int) -> bool:
        """Whether the stretch around a range sounds like an agent, where nobody marked the speaker."""
        before = text[max(0, start - _AGENT_REACH) : start]
        after = text[end : end + _AGENT_REACH]
        stretch = _STRETCH_ENDS.split(before)[-1] + text[start:end] + _STRETCH_ENDS.split(after)[0]
        return self.lexicon.agent_words.search(stretch) is not None


def _matches(kind: Kind, text: str) -> Iterator[tuple[int, int]]:
    """Ranges that the phrases match, free of innocent words; a Latin word is not cut in two."""
    innocent: list[tuple[int, int]] | None = None
    done = 0
    while match := kind.phrases.search(text, done):
        start, end = match.span()
        if innocent is None:
            innocent = [other.span() for other in kind.innocent.finditer(text)]
        overlaps = any(first < end and start < last for first, last in innocent)
        if overlaps or _cuts_word(text, start) or _cuts_word(text, end):
            done = start + 1
            continue
        yield start, end
        done = end


def _cuts_word(text: str, position: int) -> bool:
    around = text[max(0, position - 1) : position + 1]
    return len(around) == 2 and around.isascii() and around.isalpha()


def _window(text: str, start: int, end: int) -> str:
    return text[max(0, start - _REACH) : start] + HIT + text[end : end + _REACH]


def _closing_part(texts: Sequence[str]) -> tuple[int, int]:
    """Utterance and offset where the last part begins: the last turns, or the end of a single text."""
    if len(texts) > 1:
        return max(0, len(texts) - 1 - _LAST_TURNS), 0
    length = len("".join(texts))
    return 0, max(0, min(int(_LAST_PART * length), length - _LAST_CHARACTERS))


def _withdrawn_later(hit: _Hit, withdrawals: Sequence[tuple[Kind | None, int, int]]) -> bool:
    return hit.kind.withdrawable and any(
        kind in (None, hit.kind) and (place, start) > (hit.place, hit.start) for kind, place, start in withdrawals
    )


def _signal(hit: _Hit, spoken: Prepared) -> Signal:
    start, end = spoken.original(hit.start, hit.end)
    return Signal(hit.kind.code, spoken.turn, start, end, spoken.text[hit.start : hit.end], spoken.speaker)

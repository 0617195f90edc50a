"""Hits of the phrases, less those whose surroundings say they are not meant, less those taken back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from triage.case import Speaker
from triage.prepare import Prepared
from triage.signals.lexicon import Kind, Lexicon
from triage.signals.phrase import HIT, Opening, Phrases, Starts, lower

_REACH = 30
_AGENT_REACH = 20
_STRETCH_ENDS = re.compile(r"[。!?; ]")
_LAST_PART = 0.6
_LAST_CHARACTERS = 40
_LAST_TURNS = 4


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


Position = tuple[int, int]
_START: Position = (0, 0)


@dataclass(frozen=True, slots=True)
class _Hit:
    """A range of one utterance's `text`; `taken_back` says that its own words withdraw the threat."""

    kind: Kind
    place: int
    start: int
    end: int
    taken_back: bool

    @property
    def position(self) -> Position:
        return self.place, self.start


class SignalFinder:
    """Finds the signals of one contact. Stateless after construction, so one finder may serve many threads."""

    def __init__(self, lexicon: Lexicon):
        self.lexicon = lexicon
        self._meant = Meant(lexicon.kinds.values())

    def __call__(self, utterances: Sequence[Prepared]) -> list[Signal]:
        """Signals of the customer's words, sorted by turn and start. What the agent says is no signal."""
        said = [(spoken, "" if spoken.speaker == "agent" else lower(spoken.text)) for spoken in utterances]
        hits = [hit for place, (spoken, text) in enumerate(said) for hit in self._hits(place, text, spoken.speaker)]
        since = self._counting_since(hits, said)
        meant = [hit for hit in hits if not hit.taken_back and hit.position >= since[hit.kind.code]]
        signals = [_signal(hit, utterances[hit.place]) for hit in meant]
        return sorted(signals, key=lambda signal: (signal.turn, signal.start, signal.kind))

    def _hits(self, place: int, text: str, speaker: Speaker) -> Iterator[_Hit]:
        for kind, start, end, window in self._meant(text):
            if speaker == "unknown" and agent_speaks(self.lexicon.agent_words, text, start, end):
                continue
            yield _Hit(kind, place, start, end, kind.withdrawable and self.lexicon.withdrawn(window))

    def _counting_since(self, hits: Sequence[_Hit], said: Sequence[tuple[Prepared, str]]) -> dict[str, Position]:
        """For each kind the position from which hits count: the last withdrawal, or the last part of the contact."""
        withdrawal = max(self._withdrawals(said), default=_START)
        closing = _closing_part([text for _, text in said])
        since: dict[str, Position] = {}
        for kind in self.lexicon.kinds.values():
            own = max((hit.position for hit in hits if hit.kind is kind and hit.taken_back), default=_START)
            since[kind.code] = max(own, withdrawal) if kind.withdrawable else closing if kind.at_end else _START
        return since

    def _withdrawals(self, said: Sequence[tuple[Prepared, str]]) -> Iterator[Position]:
        """Where the customer takes back every threat made so far."""
        for place, (spoken, text) in enumerate(said):
            for match in self.lexicon.withdrawals.finditer(text):
                start, end = match.span()
                by_agent = spoken.speaker == "unknown" and agent_speaks(self.lexicon.agent_words, text, start, end)
                if not by_agent and not self.lexicon.still_meant.search(_window(text, start, end)):
                    yield place, start


class Meant:
    """Finds hits of several kinds that no surrounding takes back."""

    def __init__(self, kinds: Iterable[Kind]):
        self._kinds = tuple(kinds)
        self._starts = Starts(kind.phrases for kind in self._kinds)

    def __call__(self, text: str) -> Iterator[tuple[Kind, int, int, str]]:
        """Kind, start, end, and the window around, in a lower-case text; those of a kind one after the other."""
        for number, starts in self._starts(text).items():
            kind = self._kinds[number]
            for start, end in _matches(kind, text, starts):
                window = _window(text, start, end)
                if not any(veto(window) for veto in kind.vetoes):
                    yield kind, start, end, window


def agent_speaks(agent_words: Phrases, text: str, start: int, end: int) -> bool:
    """Whether the stretch around a range sounds like an agent, where nobody marked the speaker."""
    before = text[max(0, start - _AGENT_REACH) : start]
    after = text[end : end + _AGENT_REACH]
    stretch = _STRETCH_ENDS.split(before)[-1] + text[start:end] + _STRETCH_ENDS.split(after)[0]
    return agent_words.search(stretch) is not None


def _matches(kind: Kind, text: str, starts: Iterable[tuple[int, Opening]]) -> Iterator[tuple[int, int]]:
    """Ranges that the phrases match, free of innocent words; a Latin word is not cut in two."""
    innocent: list[tuple[int, int]] | None = None
    done = 0
    for start, opening in starts:
        match = opening.match(text, start) if start >= done else None
        if match is None:
            continue
        end = match.end()
        if innocent is None:
            innocent = [other.span() for other in kind.innocent.finditer(text)]
        overlaps = any(first < end and start < last for first, last in innocent)
        if not (overlaps or _cuts_word(text, start) or _cuts_word(text, end)):
            yield start, end
            done = end


def _cuts_word(text: str, position: int) -> bool:
    around = text[max(0, position - 1) : position + 1]
    return len(around) == 2 and around.isascii() and around.isalpha()


def _window(text: str, start: int, end: int) -> str:
    return text[max(0, start - _REACH) : start] + HIT + text[end : end + _REACH]


def _closing_part(texts: Sequence[str]) -> Position:
    """Where the last part of the contact begins: the last turns, or the end of a single text."""
    if len(texts) > 1:
        return max(0, len(texts) - _LAST_TURNS), 0
    length = len("".join(texts))
    return 0, max(0, min(int(_LAST_PART * length), length - _LAST_CHARACTERS))


def _signal(hit: _Hit, spoken: Prepared) -> Signal:
    start, end = spoken.original(hit.start, hit.end)
    return Signal(hit.kind.code, spoken.turn, start, end, spoken.text[hit.start : hit.end], spoken.speaker)

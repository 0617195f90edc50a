"""Lapses in one conversation: the agent's words, less those that what was said before or after excuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from triage.lapses.tables import Lapse
from triage.prepare import Prepared
from triage.signals import Signal
from triage.signals.finder import Meant
from triage.signals.phrase import Phrases, lower

_SHOWN = 40


class LapseFinder:
    """Finds lapses. Stateless after construction, so one finder may serve many threads.

    Only turns that are marked as the agent's count: where a recogniser did not tell the speakers apart, a customer who
    repeats an agent's words cannot be told from the agent.
    """

    def __init__(self, lapses: Mapping[str, Lapse]):
        self.lapses = lapses
        self._meant = {code: Meant([lapse.kind]) for code, lapse in lapses.items()}

    def __call__(self, utterances: Sequence[Prepared], signals: Sequence[Signal]) -> list[Signal]:
        """Lapses, at most one of a kind in a turn, sorted by turn; none in what is no conversation."""
        if all(one.speaker != "agent" for one in utterances):
            return []
        texts = [lower(one.text) for one in utterances]
        found = [hit for lapse in self.lapses.values() for hit in self._of(lapse, utterances, texts, signals)]
        return sorted(found, key=lambda hit: (hit.turn, hit.start, hit.kind))

    def _of(
        self, lapse: Lapse, utterances: Sequence[Prepared], texts: Sequence[str], signals: Sequence[Signal]
    ) -> Iterator[Signal]:
        since = self._since(lapse, utterances, texts, signals)
        if (lapse.after or lapse.told) and since is None:
            return
        hits = {place: (start, end) for place, start, end in self._reproached(lapse, utterances, texts)}
        hits |= {place: (start, end) for place, start, end in self._candidates(lapse, utterances, texts, since)}
        for place, (start, end) in hits.items():
            if not self._excused(lapse, utterances, texts, place, place if since is None else since):
                one = utterances[place]
                first, last = one.original(start, end)
                yield Signal(lapse.kind.code, one.turn, first, last, one.text[start:end], "agent")

    def _since(
        self, lapse: Lapse, utterances: Sequence[Prepared], texts: Sequence[str], signals: Sequence[Signal]
    ) -> int | None:
        """The first utterance after which the lapse counts; None if there is none, or none is needed."""
        turns = {one.turn: place for place, one in enumerate(utterances)}
        places = [turns[one.turn] for one in signals if one.kind in lapse.after]
        return min([*places, *_customers(lapse.told, utterances, texts)], default=None)

    def _reproached(
        self, lapse: Lapse, utterances: Sequence[Prepared], texts: Sequence[str]
    ) -> Iterator[tuple[int, int, int]]:
        """The agent's words just before those in which the customer complains of them; a greeting gives no cause."""
        for place in _customers(lapse.reproach, utterances, texts):
            if place > 1 and utterances[place - 1].speaker == "agent":
                yield place - 1, 0, min(_SHOWN, len(texts[place - 1]))

    def _candidates(
        self, lapse: Lapse, utterances: Sequence[Prepared], texts: Sequence[str], since: int | None
    ) -> Iterator[tuple[int, int, int]]:
        """Utterance, start and end of the first hit in each turn; or of the agent's next words after the signal."""
        for place in range(0 if since is None else since + 1, len(utterances)):
            if utterances[place].speaker != "agent" or not texts[place].strip():
                continue
            if not lapse.said:
                yield place, 0, min(_SHOWN, len(texts[place]))
                return
            if hit := next(self._meant[lapse.kind.code](texts[place]), None):
                yield place, hit[1], hit[2]

    def _excused(
        self, lapse: Lapse, utterances: Sequence[Prepared], texts: Sequence[str], place: int, since: int
    ) -> bool:
        """Whether the agent said what takes the lapse away, or the customer what makes it none."""
        agent = [position for position, one in enumerate(utterances) if one.speaker == "agent"]
        before = max((p for p in range(place) if utterances[p].speaker != "agent"), default=None)
        said_later = lapse.unsaid and any(lapse.unsaid.search(texts[p]) for p in agent if p >= since)
        said_earlier = lapse.earlier and any(lapse.earlier.search(texts[p]) for p in agent if p < place)
        answered = lapse.answered and before is not None and lapse.answered.search(texts[before])
        return bool(said_later or said_earlier or answered)


def _customers(phrases: Phrases | None, utterances: Sequence[Prepared], texts: Sequence[str]) -> Iterator[int]:
    """Utterances of the customer that hold one of the phrases."""
    for place, one in enumerate(utterances):
        if phrases and one.speaker == "customer" and phrases.search(texts[place]):
            yield place

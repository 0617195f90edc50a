"""Clauses of what a customer said, made of whole words: the pieces in which evidence is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from triage.prepare import Prepared
from triage.signals.finder import agent_speaks
from triage.signals.phrase import Phrases

_ENDS = frozenset(",。!?;、~…:.")
_LONGEST = 28
_PART = 20


class Clause(NamedTuple):
    """Words `first` up to `last` (exclusive) of one utterance, given by its position in the case."""

    utterance: int
    first: int
    last: int


def clauses(utterances: Sequence[Prepared], agent_words: Phrases) -> list[Clause]:
    """Runs of words between punctuation and white space, in order of speech; none of an agent's.

    A run of more than 28 characters, as a recogniser writes them, is cut into parts of up to about 20. Words that are
    nothing but punctuation belong to no clause. Where nobody marked the speaker, `agent_words` tell an agent's.
    """
    return [
        Clause(position, first, last)
        for position, said in enumerate(utterances)
        if said.speaker != "agent"
        for run in _runs(said)
        for first, last in _parts(said, *run)
        if said.speaker != "unknown"
        or not agent_speaks(agent_words, said.text, said.words[first].start, said.words[last - 1].end)
    ]


def _runs(said: Prepared) -> Iterator[tuple[int, int]]:
    """Words between punctuation or white space (which is no word of its own)."""
    first = done = 0
    for place, word in enumerate(said.words):
        ends = _ENDS.issuperset(word.text)
        if place > first and (ends or done < word.start):
            yield first, place
            first = place
        if ends:
            first = place + 1
        done = word.end
    if first < len(said.words):
        yield first, len(said.words)


def _parts(said: Prepared, first: int, last: int) -> Iterator[tuple[int, int]]:
    """A run, or parts of about equal length of a long one."""
    start = said.words[first].start
    length = said.words[last - 1].end - start
    if length <= _LONGEST:
        yield first, last
        return
    parts = ceil(length / _PART)
    part = [(said.words[place].start - start) * parts // length for place in range(first, last)]
    cuts = [place for place in range(first + 1, last) if part[place - first] != part[place - first - 1]]
    yield from pairwise([first, *cuts, last])

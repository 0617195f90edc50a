"""Which contacts cost most if nobody looks: their expected loss, and as many of them as asked for."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Generic, TypeVar

from triage.result import HeadResult, TriageResult
from triage.taxonomy import Head

Kept = TypeVar("Kept")
LEVELS = 4


class Highest(Generic[Kept]):
    """Keeps the `size` entries that rank highest, whatever passes by; among equals those that came first."""

    def __init__(self, size: int):
        self.size = size
        self._heap: list[tuple[float, int, Kept]] = []
        self._seen = 0

    def wants(self, rank: float) -> bool:
        """Whether an entry of this rank would be kept now."""
        return len(self._heap) < self.size or (self.size > 0 and rank > self._heap[0][0])

    def add(self, rank: float, kept: Kept) -> None:
        """Offer one entry."""
        self._seen += 1
        if self.wants(rank):
            entry = (rank, -self._seen, kept)
            if len(self._heap) < self.size:
                heapq.heappush(self._heap, entry)
            else:
                heapq.heapreplace(self._heap, entry)

    def ranked(self) -> list[tuple[float, Kept]]:
        """The kept entries with their ranks, highest first."""
        ordered = sorted(self._heap, key=lambda entry: entry[:2], reverse=True)
        return [(rank, kept) for rank, _, kept in ordered]


class ExpectedLoss:
    """The probability of each grade of the tier head times what a contact of that grade costs if nobody looks.

    `costs` is by grade code, from the policy; a grade without one costs its rank. Where a floor decided (the answer
    has reasons), what the model gave to lower grades counts half as the grade that was decided: signal and model each
    have a vote.
    """

    def __init__(self, tiers: Head, costs: Mapping[str, float]):
        self.tiers = tiers
        self.costs = costs

    def __call__(self, result: TriageResult) -> float:
        answer = result.heads[self.tiers.name]
        if not isinstance(answer, HeadResult):
            return 0.0
        codes = codes_of(self.tiers, answer)
        costs = [self.costs.get(code, float(rank)) for rank, code in enumerate(codes)]
        least = costs[codes.index(str(answer.label))] if answer.reasons else 0.0
        lifted = [(cost + max(cost, least)) / 2 for cost in costs]
        return sum(answer.scores.get(code, 0.0) * cost for code, cost in zip(codes, lifted, strict=True))


def place_of(head: Head, answer: object) -> tuple[int, int]:
    """Rank of an answer and the number of ranks. An organisation's own tiers rank in the order of their scores."""
    if not isinstance(answer, HeadResult):
        return -1, len(head.codes)
    codes = codes_of(head, answer)
    return codes.index(str(answer.label)), len(codes)


def codes_of(head: Head, answer: HeadResult) -> list[str]:
    """The label codes an answer was chosen from: those of the taxonomy, unless a policy put its own in their place."""
    codes = [str(code) for code in head.codes]
    own = dict.fromkeys([*answer.scores, str(answer.label)])
    return codes if own.keys() <= set(codes) else list(own)


def level_of(head: Head, position: int, ranks: int) -> int | None:
    """How grave a place in an ordered head is, from 0 to `LEVELS`; None for other heads."""
    if head.kind != "ordered" or position < 0:
        return None
    return round(position / max(1, ranks - 1) * LEVELS)

"""The cases of highest risk, as many as asked for, whatever passes by."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from triage.case import Case
from triage.result import HeadResult, TriageResult
from triage.taxonomy import Head, Taxonomy


class TopCases:
    """Keeps the `size` cases that rank highest by `heads`; among equals the ones that came first."""

    def __init__(self, size: int, heads: Sequence[Head]):
        self.size = size
        self.heads = heads
        self._heap: list[tuple[tuple[float, ...], int, Case, TriageResult]] = []
        self._seen = 0

    def add(self, case: Case, result: TriageResult) -> None:
        """Offer one case."""
        self._seen += 1
        entry = (self._risk(result), -self._seen, case, result)
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, entry)
        elif self.size and entry[:2] > self._heap[0][:2]:
            heapq.heapreplace(self._heap, entry)

    def ranked(self) -> list[tuple[Case, TriageResult]]:
        """The kept cases, highest risk first."""
        return [(case, result) for _, _, case, result in sorted(self._heap, key=lambda kept: kept[:2], reverse=True)]

    def _risk(self, result: TriageResult) -> tuple[float, ...]:
        answers = [result.heads.get(head.name) for head in self.heads]
        ranks = [place_of(head, answer)[0] for head, answer in zip(self.heads, answers, strict=True)]
        return (*ranks, *(answer.score for answer in answers[:1] if isinstance(answer, HeadResult)))


def risk_heads(taxonomy: Taxonomy) -> list[Head]:
    """The heads that rank cases: tier, then escalation; without these every ordered head."""
    ordered = [head for head in taxonomy.heads if head.kind == "ordered"]
    named = [head for name in ("risk_tier", "escalation") for head in ordered if head.name == name]
    return named or ordered


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

"""How dissatisfaction runs through a conversation: of one call, and on average."""

from __future__ import annotations

from collections.abc import Mapping

from triage.case import Case
from triage.result import TriageResult

TENTHS = 10
LEAST_TURNS = 4
_HEAD = "dissatisfaction"


def curve_of(case: Case, result: TriageResult) -> list[tuple[int, float]]:
    """Turn and dissatisfaction (0 to 1) for every turn not spoken by the agent; empty unless there are four."""
    agents = {said.turn for said in case.utterances() if said.speaker == "agent"}
    points = [
        (int(turn["turn"]), float(turn[_HEAD])) for turn in result.turns if _HEAD in turn and turn["turn"] not in agents
    ]
    return points if len(points) >= LEAST_TURNS else []


class MeanCurve:
    """The mean over conversations, by tenths of their length."""

    def __init__(self) -> None:
        self.calls = 0
        self._sums = [0.0] * TENTHS
        self._counts = [0] * TENTHS

    def add(self, case: Case, result: TriageResult) -> None:
        """Add one conversation, if it is one."""
        points = curve_of(case, result)
        self.calls += bool(points)
        for place, (_, value) in enumerate(points):
            tenth = place * TENTHS // len(points)
            self._sums[tenth] += value
            self._counts[tenth] += 1

    @property
    def values(self) -> Mapping[int, float]:
        """Tenth to mean, where anything was said."""
        return {
            place: total / count
            for place, (total, count) in enumerate(zip(self._sums, self._counts, strict=True))
            if count
        }

"""What the worker does with a call: a case that fails in any way fails alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from api.answering import answer_all
from tests.fakes import FakeTriager
from triage.case import Case
from triage.errors import InputError
from triage.result import RowError, TriageResult
from triage.taxonomy import load_taxonomy


class Failing(FakeTriager):
    """Fails on the case `bad` in the way given."""

    def __init__(self, way: str):
        super().__init__(load_taxonomy())
        self._way = way

    def pipe(self, cases: Iterable[Case], _batch_size: int = 64) -> Iterator[TriageResult | RowError]:
        for case in cases:
            result = self(case)
            if case.id != "bad":
                yield result
            elif self._way == "not a number":
                yield replace(result, heads={**result.heads, "risk_tier": replace(result.risk_tier, score=math.nan)})
            elif self._way == "raises ours":
                raise InputError("turns: too many")
            elif self._way == "raises":
                raise RuntimeError(case.text)


WAYS = {
    "not a number": ("stage_failed", "stage 'triage' failed: ValueError"),
    "raises": ("stage_failed", "stage 'triage' failed: RuntimeError"),
    "raises ours": ("bad_input", "turns: too many"),
    "gives too few answers": ("stage_failed", "stage 'triage' failed: ValueError"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_case_fails_alone(way: str, place: int) -> None:
    cases = [Case(id="a", text="没人管"), Case(id="b", text="没人管")]
    cases.insert(place, Case(id="bad", text="没人管"))
    answers = answer_all(Failing(way), cases)
    assert [answer.id for answer in answers] == [case.id for case in cases]
    assert answers[place] == RowError("bad", *WAYS[way])
    assert sum(isinstance(answer, TriageResult) for answer in answers) == 2

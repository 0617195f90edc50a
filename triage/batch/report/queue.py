"""The contacts to listen to: those of highest expected loss, each with why it is here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triage.batch.names import Names
from triage.batch.report.curve import curve_of
from triage.batch.report.plots import Line, curve
from triage.batch.report.survey import Survey
from triage.batch.view import Answer, CaseView, case_view

_NO_OTHER_REASON = "模型评分"


@dataclass(frozen=True, slots=True)
class Entry:
    """One contact of the queue. `grade` is the answer that ranks it; `curve` is there for conversations."""

    rank: int
    loss: float
    grade: Answer
    view: CaseView
    why: tuple[str, ...]
    curve: Line | None


def entries(survey: Survey, names: Names) -> Iterator[Entry]:
    """The queue in order, made one at a time."""
    for rank, (loss, (case, result)) in enumerate(survey.queue.ranked(), start=1):
        view = case_view(case, result, names)
        grade = next(answer for answer in view.answers if answer.name == survey.tiers.name)
        points = dict(curve_of(case, result))
        line = curve("不满", points, len(view.turns)) if points else None
        yield Entry(rank, loss, grade, view, tuple(_why(grade, view, names)), line)


def _why(grade: Answer, view: CaseView, names: Names) -> list[str]:
    """Reasons of the grade, what was not said, and lapses; else that the model says so."""
    found = list(grade.reasons)
    found += [answer.label for answer in view.answers if answer.code == "unspoken"]
    found += [f"{answer.head}{answer.label}" for answer in view.answers if answer.code == "high"]
    found += [names.evidence(one) for one in view.evidence if one.source == "agent"]
    return list(dict.fromkeys(found)) or [_NO_OTHER_REASON]

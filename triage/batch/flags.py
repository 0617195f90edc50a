"""Yes-or-no facts about a result that a QA lead counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from triage.result import HeadResult, TriageResult
from triage.taxonomy import Code


@dataclass(frozen=True, slots=True)
class _LabelFlag:
    """A fact about the label of one head."""

    zh: str
    head: str
    holds: Callable[[Code], bool]


_ABOUT_LABELS = {
    "complaints": _LabelFlag("投诉", "complaint_type", lambda code: code != "none"),
    "severe": _LabelFlag("风险 ≥ 3 级", "risk_tier", lambda code: str(code).isdecimal() and int(code) >= 3),
    "unspoken": _LabelFlag("未明说的不满", "dissatisfaction", lambda code: code == "unspoken"),
}
_REPORT = "须立即上报"
_REVIEW = "需人工复核"


def flags_of(result: TriageResult) -> list[str]:
    """The names of the flags that a result has."""
    found = []
    for name, flag in _ABOUT_LABELS.items():
        answer = result.heads.get(flag.head)
        if isinstance(answer, HeadResult) and flag.holds(answer.label):
            found.append(name)
    found += ["report"] if result.handling.present_owner_may == "must_report" else []
    return [*found, "review"] if result.review_reasons else found


def flag_names(codes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Flag to Chinese name. A flag about labels is left out where no label in use could have it."""
    usable = {name: flag.zh for name, flag in _ABOUT_LABELS.items() if any(map(flag.holds, codes.get(flag.head, ())))}
    return {**usable, "report": _REPORT, "review": _REVIEW}

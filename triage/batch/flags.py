"""Yes-or-no facts about a result that a QA lead counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _LabelFlag:
    """A fact about the label of one head."""

    zh: str
    head: str
    holds: Callable[[str], bool]


_ABOUT_LABELS = {
    "complaints": _LabelFlag("投诉", "complaint_type", lambda code: code != "none"),
    "unspoken": _LabelFlag("未明说的不满", "dissatisfaction", lambda code: code == "unspoken"),
    "escalating": _LabelFlag("升级风险高", "escalation", lambda code: code == "high"),
}
_OTHERS = {"report": "须立即上报", "review": "需人工复核"}


def flags_of(codes: Mapping[str, Sequence[str]], must_report: bool, review: bool) -> list[str]:
    """The names of the flags that a result has; `codes` are its label codes by head."""
    found = [name for name, flag in _ABOUT_LABELS.items() if any(map(flag.holds, codes.get(flag.head, ())))]
    return [*found, *(["report"] if must_report else []), *(["review"] if review else [])]


def flag_names(codes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Flag to Chinese name. A flag about labels is left out where no label in use could have it."""
    usable = {name: flag.zh for name, flag in _ABOUT_LABELS.items() if any(map(flag.holds, codes.get(flag.head, ())))}
    return {**usable, **_OTHERS}

"""Yes-or-no facts about a result that a QA lead counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triage.taxonomy import Head, Taxonomy


@dataclass(frozen=True, slots=True)
class _LabelFlag:
    """A fact about the label of one head: that it is `code`, or, without one, any but the neutral label."""

    zh: str
    head: str
    code: str | None = None

    def holds(self, head: Head, code: str) -> bool:
        """Whether a label of `head` makes it true; never where it takes a neutral label and there is none."""
        return code == self.code if self.code else head.neutral is not None and code != str(head.neutral)


_ABOUT_LABELS = {
    "complaints": _LabelFlag("投诉", "complaint_type"),
    "unspoken": _LabelFlag("未明说的不满", "dissatisfaction", "unspoken"),
    "escalating": _LabelFlag("升级风险高", "escalation", "high"),
}
_OTHERS = {"report": "须立即上报", "review": "需人工复核"}


def flags_of(taxonomy: Taxonomy, codes: Mapping[str, Sequence[str]], must_report: bool, review: bool) -> list[str]:
    """The names of the flags that a result has; `codes` are its label codes by head."""
    return [*_about_labels(taxonomy, codes), *(["report"] if must_report else []), *(["review"] if review else [])]


def flag_names(taxonomy: Taxonomy, codes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Flag to Chinese name. A flag about labels is left out where no label in use could have it."""
    return {**_about_labels(taxonomy, codes), **_OTHERS}


def _about_labels(taxonomy: Taxonomy, codes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The flags that one of the labels makes true, with their Chinese names."""
    return {
        name: flag.zh
        for name, flag in _ABOUT_LABELS.items()
        for head in taxonomy.heads
        if head.name == flag.head and any(flag.holds(head, code) for code in codes.get(head.name, ()))
    }

"""What is counted of one answer: its labels, flags and lapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from triage.batch.flags import flags_of
from triage.batch.top import codes_of
from triage.result import HeadResult, TriageResult
from triage.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels are pairs of code and name, by head. `grades` are the codes that a policy put in place of a head's own."""

    labels: Mapping[str, Sequence[tuple[str, str]]]
    flags: Sequence[str]
    lapses: Sequence[str] = ()
    grades: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def given(
        cls,
        taxonomy: Taxonomy,
        labels: Mapping[str, Sequence[tuple[str, str]]],
        must_report: bool,
        review: bool,
        lapses: Sequence[str],
    ) -> Self:
        """Facts of an answer that was read from a file."""
        codes = {head: [code for code, _ in given] for head, given in labels.items()}
        return cls(labels, flags_of(taxonomy, codes, must_report, review), lapses)

    @classmethod
    def of(cls, result: TriageResult, taxonomy: Taxonomy) -> Self:
        """Facts of a result of this run."""
        answers = {head: result.heads[head.name] for head in taxonomy.heads if head.name in result.heads}
        labels = {
            head.name: [(str(one.label), one.name) for one in ((given,) if isinstance(given, HeadResult) else given)]
            for head, given in answers.items()
        }
        own = {head.name: codes_of(head, given) for head, given in answers.items() if isinstance(given, HeadResult)}
        grades = {head: codes for head, codes in own.items() if codes != [str(c) for c in taxonomy.head(head).codes]}
        lapses = list(dict.fromkeys(one.kind for one in result.agent_lapses))
        must_report, review = result.handling.present_owner_may == "must_report", bool(result.review_reasons)
        facts = cls.given(taxonomy, labels, must_report, review, lapses)
        return replace(facts, grades=grades)

    def codes(self, head: str) -> list[str]:
        """The label codes given under a head."""
        return [code for code, _ in self.labels.get(head, ())]

"""Everything that the report needs to have seen of each result, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from triage.batch.facts import Facts
from triage.batch.report.curve import MeanCurve
from triage.batch.report.dimensions import CONTACTS, DIMENSIONS, Groups, Pairs, values_of
from triage.batch.report.excerpts import Excerpts, Key
from triage.batch.report.keywords import KeywordFinder, WeeklyKeywords
from triage.batch.report.periods import Days, day_of, monday
from triage.batch.top import ExpectedLoss, Highest
from triage.case import Case
from triage.result import Evidence, TriageResult
from triage.taxonomy import Head, Taxonomy

Ranked = tuple[Key, float, Evidence | None]


class Survey:
    """Watches results go by. `issues` and `lapses` are groups like those by product or region."""

    def __init__(self, taxonomy: Taxonomy, tier_head: str, costs: Mapping[str, float], capacity: int):
        self.about: Head | None = next((head for head in taxonomy.heads if head.kind == "multi"), None)
        self.tiers = taxonomy.head(tier_head)
        self.expected_loss = ExpectedLoss(self.tiers, costs)
        self.queue: Highest[tuple[Case, TriageResult]] = Highest(capacity)
        self.loss = 0.0
        self.groups = {name: Groups() for name in DIMENSIONS}
        self.issues = Groups()
        self.lapses = Groups()
        self.pairs = Pairs()
        self.days = Days()
        self.keywords = WeeklyKeywords()
        self.curves = {True: MeanCurve(), False: MeanCurve()}
        self.excerpts = Excerpts()
        self._keywords_of = KeywordFinder()

    def add(self, case: Case, result: TriageResult, facts: Facts) -> None:
        """See one result."""
        loss = self.expected_loss(result)
        self.loss += loss
        self.queue.add(loss, (case, result))
        values, issues = values_of(case), facts.codes(self.about.name) if self.about else []
        measures = list(self._measures(result, facts, issues))
        for name, value in values.items():
            self.groups[name].add(value, measures, loss)
        for groups, codes in ((self.issues, issues), (self.lapses, facts.lapses)):
            for code in codes:
                groups.add(code, measures, loss)
        complaint = "complaints" in facts.flags
        self.pairs.add(values, complaint)
        day = day_of(case.created_at)
        self.days.add(day, measures)
        self.keywords.add(monday(day) if day else None, self._keywords_of(case))
        self.curves[complaint].add(case, result)
        self.excerpts.offer(case, result, self._ranked(result, facts, values, issues, loss))

    def _measures(self, result: TriageResult, facts: Facts, issues: list[str]) -> Iterator[str]:
        yield CONTACTS
        yield from facts.flags
        yield from (f"issue:{code}" for code in issues)
        yield from (f"lapse:{code}" for code in facts.lapses)
        yield from ["lapsed"] if facts.lapses else []
        yield from (f"grade:{code}" for code in facts.codes(self.tiers.name))
        yield f"owner:{result.handling.owner}"

    def _ranked(
        self, result: TriageResult, facts: Facts, values: Mapping[str, str], issues: list[str], loss: float
    ) -> Iterator[Ranked]:
        """Under which keys an excerpt of this contact may be shown."""
        grades = facts.codes(self.tiers.name)
        scores = {str(one.label): one.score for one in self._issue_answers(result)}
        for issue in issues:
            yield ("issue", issue), scores.get(issue, 0.0), None
            yield from ((("issue", issue, grade), loss, None) for grade in grades)
        for name, value in values.items():
            yield (name, value), loss, None
        yield from ((("lapse", one.kind), loss, one) for one in result.agent_lapses)

    def _issue_answers(self, result: TriageResult) -> tuple[Any, ...]:
        answer = result.heads.get(self.about.name, ()) if self.about else ()
        return answer if isinstance(answer, tuple) else ()

"""What is counted while the answers go by: bounded memory however many there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from triage.batch.facts import Facts
from triage.batch.flags import flag_names
from triage.case import Case
from triage.result import RowError, TriageResult
from triage.taxonomy import Head, Taxonomy

_MAX_FAILURES = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row after triage. A row that could not be read has no case."""

    case: Case | None
    answer: TriageResult | RowError


class Labels:
    """How often each label of a head was given. `names` is in the order of the head."""

    def __init__(self, head: Head):
        self.head = head
        self.counts: Counter[str] = Counter()
        self.names = {str(label.code): label.zh for label in head.labels}

    def add(self, facts: Facts) -> None:
        """Count an answer. Where a policy has put its own grades in place of the labels, those are counted."""
        grades = facts.grades.get(self.head.name, ())
        if set(grades) - self.names.keys():
            self.names = {code: self.names[code] if self.counts[code] else code for code in grades}
        given = facts.labels.get(self.head.name, ())
        self.names |= dict(given)
        self.counts.update(code for code, _ in given)


class Counts:
    """How many contacts, and how many with each label, flag and lapse."""

    def __init__(self, taxonomy: Taxonomy):
        self.taxonomy = taxonomy
        self.contacts = 0
        self.failed: Counter[str] = Counter()
        self.labels = {head.name: Labels(head) for head in taxonomy.heads}
        self.flagged: Counter[str] = Counter()
        self.lapses: Counter[str] = Counter()

    @property
    def done(self) -> int:
        """How many contacts have a result."""
        return self.contacts - self.failed.total()

    @property
    def flags(self) -> dict[str, str]:
        """The flags worth showing, with their Chinese names."""
        return flag_names(self.taxonomy, {name: list(labels.names) for name, labels in self.labels.items()})

    def count(self, facts: Facts) -> None:
        """Count one contact that has a result."""
        self.contacts += 1
        for labels in self.labels.values():
            labels.add(facts)
        self.flagged.update(facts.flags)
        self.lapses.update(facts.lapses)

    def count_failure(self, code: str) -> None:
        """Count one contact that has none."""
        self.contacts += 1
        self.failed[code] += 1


class Observer(Protocol):
    """Whoever wants to see every result beside its facts."""

    def add(self, case: Case, result: TriageResult, facts: Facts) -> None: ...


class Tally(Counts):
    """Counts over all outcomes, and the first failures; `survey` is told of every result."""

    def __init__(self, taxonomy: Taxonomy, survey: Observer | None = None):
        super().__init__(taxonomy)
        self.survey = survey
        self.failures: list[RowError] = []

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        if isinstance(outcome.answer, RowError):
            self.count_failure(outcome.answer.code)
            if len(self.failures) < _MAX_FAILURES:
                self.failures.append(outcome.answer)
        elif outcome.case is not None:
            facts = Facts.of(outcome.answer, self.taxonomy)
            self.count(facts)
            if self.survey is not None:
                self.survey.add(outcome.case, outcome.answer, facts)

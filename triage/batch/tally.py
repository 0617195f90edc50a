"""What is counted while the answers go by: bounded memory however many there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from triage.batch.flags import flag_names, flags_of
from triage.batch.top import TopCases, codes_of, risk_heads
from triage.case import Case
from triage.result import HeadResult, LabelScore, RowError, TriageResult
from triage.taxonomy import Head, Taxonomy

GROUPS = ("channel", "product", "region")
_MAX_VALUES = 5_000
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

    def add(self, answer: HeadResult | tuple[LabelScore, ...]) -> list[str]:
        """Count an answer; its label codes."""
        if isinstance(answer, HeadResult):
            self._follow(answer)
        given = (answer,) if isinstance(answer, HeadResult) else answer
        self.names |= {str(label.label): label.name for label in given}
        codes = [str(label.label) for label in given]
        self.counts.update(codes)
        return codes

    def _follow(self, answer: HeadResult) -> None:
        """Where a policy has put its own grades in place of the labels, count those."""
        codes = codes_of(self.head, answer)
        if codes != list(self.names) and set(codes) - self.names.keys():
            self.names = {code: self.names[code] if self.counts[code] else code for code in codes}


class Tally:
    """Counts over all outcomes, and the cases of highest risk."""

    def __init__(self, taxonomy: Taxonomy, keep: int = 200):
        self.taxonomy = taxonomy
        self.contacts = 0
        self.failed: Counter[str] = Counter()
        self.failures: list[RowError] = []
        self.labels = {head.name: Labels(head) for head in taxonomy.heads}
        self.flagged: Counter[str] = Counter()
        self.crossed = _crossed_heads(taxonomy)
        self.cross: Counter[tuple[str, str]] = Counter()
        self.groups: dict[str, dict[str, Counter[str]]] = {name: defaultdict(Counter) for name in GROUPS}
        self.top = TopCases(keep, risk_heads(taxonomy))

    @property
    def done(self) -> int:
        """How many contacts have a result."""
        return self.contacts - self.failed.total()

    @property
    def flags(self) -> dict[str, str]:
        """The flags worth showing, with their Chinese names."""
        return flag_names({name: list(labels.names) for name, labels in self.labels.items()})

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.contacts += 1
        if isinstance(outcome.answer, RowError):
            self.failed[outcome.answer.code] += 1
            if len(self.failures) < _MAX_FAILURES:
                self.failures.append(outcome.answer)
        elif outcome.case is not None:
            self._add_result(outcome.case, outcome.answer)

    def _add_result(self, case: Case, result: TriageResult) -> None:
        codes = {name: labels.add(result.heads.get(name, ())) for name, labels in self.labels.items()}
        held = flags_of(result)
        self.flagged.update(held)
        if self.crossed:
            rows, columns = (codes[head.name] for head in self.crossed)
            self.cross.update((row, column) for row in rows for column in columns)
        for name, values in self.groups.items():
            value = getattr(case, name)
            if value is not None and (value in values or len(values) < _MAX_VALUES):
                values[value].update(["contacts", *held])
        self.top.add(case, result)


def _crossed_heads(taxonomy: Taxonomy) -> tuple[Head, Head] | None:
    """The heads of the cross table: what it is about, and how grave it is."""
    multi = [head for head in taxonomy.heads if head.kind == "multi"]
    grave = risk_heads(taxonomy)
    return (multi[0], grave[0]) if multi and grave else None

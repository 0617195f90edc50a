"""One case as it is shown, in the report and in the terminal: names for codes, words masked, evidence marked."""

from __future__ import annotations

from dataclasses import dataclass

from triage.batch.marked import MarkedTurn, mark, printable
from triage.batch.names import Names, allowance, duration, value_name
from triage.batch.top import level_of, place_of
from triage.case import Case
from triage.result import Evidence, HeadResult, LabelScore, TriageResult

_PREVIEW = 60
_CLEAR = 0.6


@dataclass(frozen=True, slots=True)
class Answer:
    """One label of a case under one head; `name` is that of the head, `head` its Chinese one."""

    name: str
    head: str
    code: str
    label: str
    score: float
    level: int | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """Whose contact it is and what to do."""

    owner: str
    time: str
    allowance: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything to show of one case. `notes` belong to turns."""

    id: str
    answers: tuple[Answer, ...]
    facts: tuple[tuple[str, str], ...]
    turns: tuple[MarkedTurn, ...]
    notes: dict[int, str]
    evidence: tuple[Evidence, ...]
    advice: Advice
    review: tuple[str, ...]
    preview: str


def case_view(case: Case, result: TriageResult, names: Names) -> CaseView:
    """A case and its result, which has been masked."""
    evidence = (*result.evidence, *result.agent_lapses)
    turns = tuple(mark(case, evidence))
    handling = result.handling
    return CaseView(
        id=printable(result.id),
        answers=tuple(_answers(result, names)),
        facts=tuple(_facts(case)),
        turns=turns,
        notes=_notes(result, names),
        evidence=evidence,
        advice=Advice(
            handling.owner,
            duration(handling.respond_within_minutes),
            allowance(handling.present_owner_may),
            handling.actions,
        ),
        review=tuple(map(names.reason, result.review_reasons)),
        preview=_preview(result, turns),
    )


def _answers(result: TriageResult, names: Names) -> list[Answer]:
    found = []
    for head in names.taxonomy.heads:
        answer = result.heads.get(head.name, ())
        labels: tuple[HeadResult | LabelScore, ...] = answer if isinstance(answer, tuple) else (answer,)
        level = level_of(head, *place_of(head, answer))
        for label in labels:
            reasons = tuple(map(names.reason, label.reasons)) if isinstance(label, HeadResult) else ()
            found.append(Answer(head.name, head.zh, str(label.label), label.name, label.score, level, reasons))
    return found


def _facts(case: Case) -> list[tuple[str, str]]:
    """What is known beside the words. The customer's key is not shown."""
    values = {
        "渠道": None if case.channel == "other" else case.channel,
        "产品": case.product,
        "地区": case.region,
        "客户类型": case.customer_type,
        "坐席": case.agent_id,
        "时间": case.created_at and case.created_at.strftime("%Y-%m-%d %H:%M"),
        "历史投诉次数": None if case.prior_contacts is None else str(case.prior_contacts),
    }
    return [(name, value_name(value)) for name, value in values.items() if value]


def _notes(result: TriageResult, names: Names) -> dict[int, str]:
    """For each turn that clearly speaks for something, what and how far."""
    notes: dict[int, str] = {}
    for turn in result.turns:
        clear = [(name, score) for name, score in turn.items() if name != "turn" and score >= _CLEAR]
        notes[int(turn["turn"])] = " ".join(f"{names.head(name)} {score:.0%}" for name, score in clear)
    return notes


def _preview(result: TriageResult, turns: tuple[MarkedTurn, ...]) -> str:
    quotes = " … ".join(one.text for one in result.evidence)
    words = quotes or "".join(piece.text for turn in turns[:1] for piece in turn.pieces)
    return words[:_PREVIEW] + ("…" if len(words) > _PREVIEW else "")

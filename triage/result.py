"""The output contract: one triage of one contact."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from triage.taxonomy import Code


@dataclass(frozen=True, slots=True)
class HeadResult:
    """The answer to one head: label, Chinese name, its calibrated probability, and all probabilities (sum 1).

    `reasons` says what decided beside the scores, for example a signal that set a floor.
    """

    label: Code
    name: str
    score: float
    scores: dict[str, float]
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "name": self.name,
            "score": round(self.score, 4),
            "scores": {code: round(score, 4) for code, score in self.scores.items()},
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label of a multi-label head, with its calibrated probability."""

    label: Code
    name: str
    score: float

    def to_dict(self) -> dict[str, Any]:
        return {"label": self.label, "name": self.name, "score": round(self.score, 4)}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that support an answer. The span points into the original turn, or into `Case.text`.

    `source` is `signal` (a pattern), `model` (attribution) or `agent` (a lapse, which supports no head);
    `weight` is what the place it stands in added to the answers.
    """

    turn: int
    start: int
    end: int
    text: str
    kind: str
    supports: tuple[str, ...]
    source: str
    weight: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        return {
            "turn": self.turn,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "kind": self.kind,
            "supports": list(self.supports),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Handling:
    """Who should have the contact, what its present owner may do with it, how fast, and the next steps."""

    owner: str
    present_owner_may: str
    respond_within_minutes: int
    actions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "owner": self.owner,
            "present_owner_may": self.present_owner_may,
            "respond_within_minutes": self.respond_within_minutes,
            "actions": list(self.actions),
        }


@dataclass(frozen=True, slots=True)
class TriageResult:
    """Everything known about one contact. Heads are attributes too: `result.complaint_type.label`.

    `unknown_words` is the share of words that the model does not know; it is watched and not part of the JSON.
    `agent_lapses` are hints at the organisation's own side, for QA: they are no part of the contract, but of the rows
    that `triage score` writes.
    """

    id: str
    heads: dict[str, HeadResult | tuple[LabelScore, ...]]
    evidence: tuple[Evidence, ...]
    turns: tuple[dict[str, float | int], ...]
    handling: Handling
    review_reasons: tuple[str, ...]
    model: dict[str, str] = field(default_factory=dict)
    unknown_words: float = 0.0
    agent_lapses: tuple[Evidence, ...] = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self.heads[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def codes(self) -> dict[str, list[str]]:
        """The codes of the labels given, by head."""
        given = {name: one if isinstance(one, tuple) else (one,) for name, one in self.heads.items()}
        return {name: [str(one.label) for one in labels] for name, labels in given.items()}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form of the contract."""
        answers = {
            name: [one.to_dict() for one in answer] if isinstance(answer, tuple) else answer.to_dict()
            for name, answer in self.heads.items()
        }
        return {
            "id": self.id,
            **answers,
            "evidence": [one.to_dict() for one in self.evidence],
            "turns": list(self.turns),
            "handling": self.handling.to_dict(),
            "review": {"needed": bool(self.review_reasons), "reasons": list(self.review_reasons)},
            "model": dict(self.model),
        }

    def to_row(self) -> dict[str, Any]:
        """The contract and, after it, the lapses: the row of an output file."""
        lapses = [
            {"kind": one.kind, "turn": one.turn, "start": one.start, "end": one.end, "text": one.text}
            for one in self.agent_lapses
        ]
        return {**self.to_dict(), "agent_lapses": lapses}


@dataclass(frozen=True, slots=True)
class RowError:
    """What stays in the output in place of a result when a row cannot be triaged."""

    id: str
    code: str
    detail: str

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "error": {"code": self.code, "detail": self.detail}}

    def to_row(self) -> dict[str, Any]:
        """The row of an output file."""
        return self.to_dict()

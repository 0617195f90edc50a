"""A result as one row of a table."""

from __future__ import annotations

from functools import lru_cache

from triage.batch.marked import printable
from triage.case import Case
from triage.privacy import mask_text
from triage.result import HeadResult, LabelScore, RowError, TriageResult
from triage.taxonomy import AFTER_HEADS, Taxonomy

Value = str | int | float | bool | None
_KNOWN = ("channel", "product", "region", "customer_type", "agent_id", "created_at", "prior_contacts")


def flat_columns(taxonomy: Taxonomy) -> list[str]:
    """The header: id, what was known, three columns a head, then what to do and what went wrong."""
    heads = [f"{head.name}{suffix}" for head in taxonomy.heads for suffix in ("", "_name", "_score")]
    return ["id", *_KNOWN, *heads, *AFTER_HEADS]


def known_cells(case: Case) -> dict[str, Value]:
    """What was known of the contact, as given; identifiers are masked. The customer's key is not among it."""
    texts = {name: getattr(case, name) for name in _KNOWN[:5]}
    return {
        **{name: text and _masked(text) for name, text in texts.items()},
        "created_at": case.created_at.isoformat() if case.created_at else None,
        "prior_contacts": case.prior_contacts,
    }


@lru_cache(maxsize=4096)
def _masked(text: str) -> str:
    return printable(mask_text(text))


def outcome_row(case: Case | None, answer: TriageResult | RowError) -> dict[str, Value]:
    """All columns that a contact and its answer fill."""
    return {**(known_cells(case) if case else {}), **flat_row(answer)}


def flat_row(answer: TriageResult | RowError) -> dict[str, Value]:
    """The columns that this answer fills."""
    if isinstance(answer, RowError):
        return {"id": answer.id, "error_code": answer.code, "error_detail": answer.detail}
    row: dict[str, Value] = {"id": answer.id}
    for name, head in answer.heads.items():
        row |= dict(zip((name, f"{name}_name", f"{name}_score"), _head_cells(head), strict=True))
    return row | {
        "evidence": " | ".join(one.text for one in answer.evidence),
        "owner": answer.handling.owner,
        "present_owner_may": answer.handling.present_owner_may,
        "respond_within_minutes": answer.handling.respond_within_minutes,
        "actions": ";".join(answer.handling.actions),
        "review_needed": bool(answer.review_reasons),
        "review_reasons": ";".join(answer.review_reasons),
        "agent_lapses": ";".join(dict.fromkeys(one.kind for one in answer.agent_lapses)),
        "agent_lapse_words": " | ".join(one.text for one in answer.agent_lapses),
        "model_version": answer.model.get("version"),
    }


def _head_cells(head: HeadResult | tuple[LabelScore, ...]) -> tuple[Value, Value, Value]:
    if isinstance(head, HeadResult):
        return head.label, head.name, round(head.score, 4)
    return (
        ";".join(str(one.label) for one in head),
        ";".join(one.name for one in head),
        ";".join(f"{one.score:.4f}" for one in head),
    )

"""Contacts and their results: kept masked, counted, listed, forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Self
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select
from sqlalchemy import case as when

from api.asked import Wanted
from api.hashing import KeyedHash
from api.store.tables import cases, claims, results
from triage.case import Case
from triage.privacy import mask_text
from triage.result import HeadResult, TriageResult

CHINA = timezone(timedelta(hours=8))  # of a time that names no zone
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_FREE_TEXT = ("id", "text", "agent_id", "product", "region", "customer_type")


@dataclass(frozen=True, slots=True)
class Record:
    """A contact ready to be stored: who by hash, words masked."""

    row: dict[str, Any]
    result: dict[str, Any] | None

    @classmethod
    def of(cls, case: Case, result: dict[str, Any] | None, hashed: KeyedHash, now: datetime, **known: Any) -> Self:
        """`result` is a `result_row`; `known` holds the other columns: who sent it, under which claim."""
        row = {
            "contact": contact_of(case.id, hashed) or uuid4().hex,
            "customer": customer_of(case, hashed),
            "received_at": now,
            "contacted_at": moment(case.created_at) if case.created_at else now,
            "body": masked(case),
            "claim": None,
            **known,
        }
        return cls(row, result)


def contact_of(id: str | None, hashed: KeyedHash) -> str | None:
    """The hash by which a contact is found again under the id that its sender gave it."""
    return hashed("contact", id) if id else None


def customer_of(case: Case, hashed: KeyedHash) -> str | None:
    """The hash that stands for the customer."""
    return hashed("customer", case.customer_key) if case.customer_key else None


def moment(given: datetime) -> datetime:
    """The time with its zone; without one it is China's. The first and last years of the calendar leave no room to
    count days in, so a time there is moved to the nearest one that does."""
    return min(max(given if given.tzinfo else given.replace(tzinfo=CHINA), _FIRST), _LAST)


def masked(case: Case) -> dict[str, Any]:
    """The case as it may be kept: no customer key, identifiers replaced in every free text."""
    body = case.model_dump(mode="json", exclude_none=True, exclude={"customer_key"})
    body |= {field: mask_text(body[field]) for field in _FREE_TEXT if field in body}
    if case.turns is not None:
        body["turns"] = [{"speaker": turn.speaker, "text": mask_text(turn.text)} for turn in case.turns]
    return body


def without_id(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer as it may be kept: the id that the sender gave may itself be a telephone number."""
    return {field: value for field, value in answer.items() if field != "id"}


def add(connection: Connection, records: Sequence[Record]) -> list[int]:
    """Store contacts with their results; returns their numbers."""
    if not records:
        return []
    inserted = insert(cases).returning(cases.c.record, sort_by_parameter_order=True)
    numbers = list(connection.scalars(inserted, [record.row for record in records]))
    found = [(number, record.result) for number, record in zip(numbers, records, strict=True)]
    if rows := [{"record": number, **result} for number, result in found if result is not None]:
        connection.execute(insert(results), rows)
    return numbers


def history(
    connection: Connection, case: Case, hashed: KeyedHash, now: datetime, window: timedelta, short: timedelta
) -> tuple[int, int]:
    """Earlier contacts of the customer within `window`, and those without value within `short`.

    A contact that was sent twice counts once, and the case itself not at all.
    """
    at = moment(case.created_at) if case.created_at else now
    lately = (results.c.contact_class == "no_value") & (cases.c.contacted_at >= at - short)
    counts = select(
        func.count(cases.c.contact.distinct()), func.count(when((lately, cases.c.contact)).distinct())
    ).join_from(cases, results)
    earlier = counts.where(
        cases.c.customer == customer_of(case, hashed),
        cases.c.contact != (contact_of(case.id, hashed) or ""),
        cases.c.contacted_at.between(at - window, at),
    )
    contacts, no_value = connection.execute(earlier).one()
    return contacts, no_value


def page(connection: Connection, wanted: Wanted) -> list[dict[str, Any]]:
    """Contacts as they are shown, the latest first."""
    found = select(cases, results.c.body.label("result")).join_from(cases, results, isouter=True)
    found = found.where(*_conditions(wanted))
    return [_shown(row) for row in connection.execute(found.order_by(cases.c.record.desc()).limit(wanted.limit))]


def forget(connection: Connection, customer: str) -> int:
    """Delete all contacts of a customer, given by hash, and all that hangs on them; returns how many there were."""
    theirs = select(cases.c.claim).where(cases.c.customer == customer, cases.c.claim.is_not(None))
    connection.execute(delete(claims).where(claims.c.claim.in_(theirs)))
    return connection.execute(delete(cases).where(cases.c.customer == customer)).rowcount


def purge(connection: Connection, received_before: datetime, claimed_before: datetime, at_most: int) -> int:
    """Delete what is past its time, the oldest first; returns how many contacts, to be called again at `at_most`."""
    connection.execute(delete(claims).where(claims.c.started_at < claimed_before))
    old = select(cases.c.record).where(cases.c.received_at < received_before).limit(at_most)
    return connection.execute(delete(cases).where(cases.c.record.in_(old))).rowcount


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.tier:
        yield results.c.tier.in_(wanted.tier)
    if wanted.type:
        yield results.c.type.in_(wanted.type)
    if wanted.review is not None:
        yield results.c.review.is_(wanted.review)
    if wanted.since is not None:
        yield cases.c.contacted_at >= moment(wanted.since)
    if wanted.until is not None:
        yield cases.c.contacted_at < moment(wanted.until)
    if wanted.before is not None:
        yield cases.c.record < wanted.before


def result_row(result: TriageResult, tier_head: str) -> dict[str, Any]:
    """The columns of a result; a head that the taxonomy lacks leaves its column null."""
    return {
        "tier": _label(result, tier_head),
        "type": _label(result, "complaint_type"),
        "contact_class": _label(result, "contact_class"),
        "review": bool(result.review_reasons),
        "body": without_id(result.to_dict()),
    }


def _label(result: TriageResult, head: str) -> str | None:
    answer = result.heads.get(head)
    return str(answer.label) if isinstance(answer, HeadResult) else None


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "record": row.record,
        "received_at": row.received_at.isoformat(),
        "contacted_at": row.contacted_at.isoformat(),
        "case": row.body,
        "result": row.result and {"id": row.body["id"], **row.result},
    }

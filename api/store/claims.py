"""Requests with an Idempotency-Key: whose turn it is, and the answer that was given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api.errors import StoreError
from api.store.tables import claims


class Turn(Enum):
    """What a claim found that did not find an answer."""

    OURS = "the request is to be worked on"
    BUSY = "the same request is being worked on"
    OTHER_BODY = "the key was used for another request"


@dataclass(frozen=True, slots=True)
class Claim:
    """The hashes of an idempotency key and of the request under it, and when it came."""

    claim: str
    request: str
    started_at: datetime


def take(connection: Connection, wanted: Claim, stale: timedelta, lifetime: timedelta) -> Turn | list[dict[str, Any]]:
    """The answers given before, or whose turn it is. A claim left without answer for `stale` may be taken over."""
    row = {"claim": wanted.claim, "request": wanted.request, "started_at": wanted.started_at, "answer": None}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    if connection.scalar(insert(claims).values(row).on_conflict_do_nothing().returning(claims.c.claim)):
        return Turn.OURS
    kept = connection.execute(select(claims).where(claims.c.claim == wanted.claim)).one_or_none()
    if kept is None:
        return Turn.BUSY  # released just now
    age = wanted.started_at - kept.started_at
    if age > lifetime or (kept.answer is None and age > stale):
        same = (claims.c.claim == wanted.claim) & (claims.c.started_at == kept.started_at)
        return Turn.OURS if connection.execute(update(claims).where(same).values(row)).rowcount else Turn.BUSY
    if kept.request != wanted.request:
        return Turn.OTHER_BODY
    return Turn.BUSY if kept.answer is None else list(kept.answer)


def settle(connection: Connection, claim: Claim, answers: list[dict[str, Any]]) -> None:
    """Keep the answers. StoreError if somebody took the claim over meanwhile: nothing of this turn may be kept."""
    if not connection.execute(update(claims).where(_open(claim)).values(answer=answers)).rowcount:
        raise StoreError("store: the request was taken over by a later one")


def release(connection: Connection, claim: Claim) -> None:
    """Give the turn back unanswered: the next one may try."""
    connection.execute(delete(claims).where(_open(claim)))


def _open(claim: Claim) -> ColumnElement[bool]:
    mine = (claims.c.claim == claim.claim) & (claims.c.started_at == claim.started_at)
    return mine & claims.c.answer.is_(None)

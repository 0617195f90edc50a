"""Labels that people gave: kept beside the contact, and read back as labelled cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from api.store.tables import cases, feedback

_SOURCE = "feedback"


def find(connection: Connection, record: int | None, contact: str | None) -> int | None:
    """The record asked for if it exists, or that of the contact with this hash: the latest, if it came repeatedly."""
    wanted = cases.c.record == record if record is not None else cases.c.contact == contact
    return connection.scalar(select(cases.c.record).where(wanted).order_by(cases.c.record.desc()).limit(1))


def add(connection: Connection, record: int, body: dict[str, Any], given_by: str, now: datetime) -> None:
    """Keep the labels of one person for a record."""
    row = {"record": record, "body": body, "given_by": given_by, "given_at": now}
    connection.execute(insert(feedback).values(row))


def labelled(connection: Connection, after: int, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """Labelled cases by record, those after `after`. Of several labels for a head the last one given counts."""
    wanted = select(feedback.c.record).where(feedback.c.record > after).distinct().order_by(feedback.c.record)
    joined = select(cases.c.record, cases.c.body.label("case"), feedback.c.body.label("given")).join_from(
        cases, feedback
    )
    rows = connection.execute(
        joined.where(cases.c.record.in_(wanted.limit(limit))).order_by(cases.c.record, feedback.c.id)
    )
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        record = found.setdefault(row.record, {**row.case, "id": row.case["id"] or f"record-{row.record}"})
        record["labels"] = {**record.get("labels", {}), **row.given["labels"]}
        record |= {"source": _SOURCE, "split": "train"}
    return list(found.items())

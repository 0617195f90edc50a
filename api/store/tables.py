"""The tables. Words of customers stand in JSON columns only, masked; who they are, only as keyed hashes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
)

_HASH = String(64)
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in a column called INTEGER
metadata = MetaData()


class Time(TypeDecorator[datetime]):
    """A moment, kept in UTC; SQLite forgets the zone, so it is given back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def _of_case(**options: Any) -> Column[int]:
    return Column("record", _NUMBER, ForeignKey("cases.record", ondelete="CASCADE"), **options)


# `contact` is the hash of the caller's id, or random: the same contact sent twice counts once in a history.
cases = Table(
    "cases",
    metadata,
    Column("record", _NUMBER, primary_key=True, autoincrement=True),
    Column("contact", _HASH, nullable=False),
    Column("customer", _HASH),
    Column("claim", _HASH),
    Column("sent_by", String(40), nullable=False),
    Column("received_at", Time, nullable=False),
    Column("contacted_at", Time, nullable=False),
    Column("body", JSON, nullable=False),
    Index("cases_by_contact", "contact"),
    Index("cases_by_customer", "customer", "contacted_at"),
    Index("cases_by_age", "received_at"),
    Index("cases_by_time", "contacted_at"),
    sqlite_autoincrement=True,  # a deleted number never comes back
)
results = Table(
    "results",
    metadata,
    _of_case(primary_key=True),
    Column("tier", String(64)),
    Column("type", String(64)),
    Column("contact_class", String(64)),
    Column("review", Boolean, nullable=False),
    Column("body", JSON, nullable=False),
)
feedback = Table(
    "feedback",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    _of_case(nullable=False),
    Column("given_by", String(40), nullable=False),
    Column("given_at", Time, nullable=False),
    Column("body", JSON, nullable=False),
    Index("feedback_by_record", "record"),
)
keys = Table(
    "keys",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("hash", _HASH, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("revoked_at", Time),
)
# One row a request with an Idempotency-Key. `answer` is null while it is worked on.
claims = Table(
    "idempotency",
    metadata,
    Column("claim", _HASH, primary_key=True),
    Column("request", _HASH, nullable=False),
    Column("started_at", Time, nullable=False),
    Column("answer", JSON(none_as_null=True)),
    Index("idempotency_by_age", "started_at"),
)
# One row: a hash by which another secret than the first one is noticed.
secret = Table("secret", metadata, Column("hash", _HASH, primary_key=True))

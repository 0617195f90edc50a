"""Keys in the store: made here, shown once, kept as keyed hashes, revoked and never deleted."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from api.hashing import KeyedHash
from api.scopes import NAME, Caller
from api.store.tables import keys
from triage.errors import InputError

_PREFIX = "tk_"
_BYTES = 32


def create(connection: Connection, caller: Caller, hashed: KeyedHash, now: datetime) -> str:
    """A new key. InputError if the name is no name or was ever used: a name stands for one key in every log."""
    if not NAME.fullmatch(caller.name):
        raise InputError("name: up to 40 letters, digits and . _ -, beginning with a letter or digit")
    if connection.scalar(select(keys.c.name).where(keys.c.name == caller.name)) is not None:
        raise InputError(f"name: one that was never used; given {caller.name}")
    key = _PREFIX + secrets.token_urlsafe(_BYTES)
    row = {"name": caller.name, "hash": hashed("key", key), "scopes": sorted(caller.scopes), "created_at": now}
    connection.execute(insert(keys).values(row))
    return key


def revoke(connection: Connection, name: str, now: datetime) -> None:
    """From now on the key opens nothing. InputError if there is no such key, or it was revoked before."""
    live = (keys.c.name == name) & keys.c.revoked_at.is_(None)
    if not connection.execute(update(keys).where(live).values(revoked_at=now)).rowcount:
        raise InputError("name: that of a key in the store that is not revoked")


def every(connection: Connection) -> list[Row[Any]]:
    """All keys, revoked ones too, in order of age."""
    return list(connection.execute(select(keys).order_by(keys.c.created_at)))


def live(connection: Connection) -> list[tuple[str, Caller]]:
    """Hash and caller of each key that opens something."""
    rows = connection.execute(select(keys).where(keys.c.revoked_at.is_(None)))
    return [(row.hash, Caller(row.name, frozenset(row.scopes))) for row in rows]

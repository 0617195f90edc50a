"""The state of the tables: brought up to date at start, or refused."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select, text

from api.errors import StoreError
from api.hashing import KeyedHash
from api.store.database import Database
from api.store.tables import secret
from triage.errors import SettingsError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells the name of the dialect, twice a start
_LOCK = 0x747269616765  # "triage"; any number that all versions agree on


def migrate(database: Database) -> None:
    """Bring the tables up to date; by one process at a time. SettingsError if they are of a later version."""
    from alembic.command import upgrade  # here: 10 MB that a service without a store never needs
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    known = ScriptDirectory.from_config(config)
    try:
        with database.read() as connection:
            if _revision(connection, known) == known.get_current_head():
                return  # also where the database may only be read
        with _alone(database) as connection:
            if _revision(connection, known) != known.get_current_head():
                config.attributes["connection"] = connection
                upgrade(config, "head")
    except StoreError as error:
        raise SettingsError(f"TRIAGE_DATABASE_URL: a database that can be opened and migrated; given {error}") from None


def check_secret(database: Database, hashed: KeyedHash) -> None:
    """SettingsError if the hashes in the store were made with another secret: nobody would be found by them."""
    mine = hashed("secret", "")
    with database.read() as connection:
        kept = connection.scalar(select(secret.c.hash))
    if kept is None:
        with _alone(database) as connection:
            kept = connection.scalar(select(secret.c.hash))
            if kept is None:
                connection.execute(insert(secret).values(hash=mine))
                return
    if kept != mine:
        raise SettingsError("TRIAGE_SECRET: the one that the store was made with; given another")


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A transaction that writes while no other worker starts; SQLite has one writer anyway."""
    with database.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection


def _revision(connection: Connection, known: ScriptDirectory) -> str | None:
    from alembic.migration import MigrationContext

    found = MigrationContext.configure(connection).get_current_revision()
    if found not in {None, *(script.revision for script in known.walk_revisions())}:
        raise SettingsError(f"TRIAGE_DATABASE_URL: revisions up to {known.get_current_head()}; given {found}")
    return found

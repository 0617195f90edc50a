"""The database: SQLite (WAL) or PostgreSQL. Its errors are translated here, once, without the values they name."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from api.errors import StoreError
from triage.errors import SettingsError

_SQLITE_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
_BUSY_SECONDS = 5
_RETRY_SECONDS = 0.02
READS_AT_A_TIME = 4


class Database:
    """`begin` is a transaction that writes, `read` one that does not. Both raise StoreError."""

    def __init__(self, url: str):
        self.engine = _open(_parse(url))

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction, kept when the block ends well. SQLite takes its one writer's place at once."""
        with _translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and holds no writer up."""
        reading = self.engine.execution_options(reads_only=True)
        with _translated(), reading.begin() as connection:
            yield connection

    def wipe(self) -> None:
        """Empty SQLite's journal, where deleted words still stand; if it is busy, the next time."""
        if self.dialect == "sqlite":
            with _translated(), closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError("TRIAGE_DATABASE_URL: not a URL of a database") from None
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def _open(url: URL) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(
        url,
        connect_args={"timeout": _BUSY_SECONDS} if sqlite else {"connect_timeout": _BUSY_SECONDS},
        pool_pre_ping=not sqlite,
        pool_size=READS_AT_A_TIME + 1,
        hide_parameters=True,  # an error must not name what was to be stored
        json_serializer=partial(json.dumps, ensure_ascii=False),
    )
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    _write_ahead(connection)
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    """Two that switch one new file at once would wait for each other: SQLite refuses both without its usual wait."""
    give_up = monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > give_up:
                raise
            sleep(_RETRY_SECONDS)


def _begin_sqlite(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"store: {_kind(error)}") from None


def _kind(error: SQLAlchemyError) -> str:
    """The name of the error: `SQLITE_FULL`, `psycopg DiskFull`, or that of the class."""
    cause = getattr(error, "orig", None) or error
    return (
        getattr(cause, "sqlite_errorname", None) or f"{type(cause).__module__.partition('.')[0]} {type(cause).__name__}"
    )

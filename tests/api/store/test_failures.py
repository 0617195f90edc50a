"""When the database does not work: nobody is told that something was kept, and when it works again all goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, event, text

from api.errors import StoreError
from api.store.access import Access
from api.store.database import Database
from tests.api.conftest import MakeClient
from tests.api.store.conftest import API_KEYS, SECRET, as_, listed, using

CASE = {"id": "T-1", "text": "没人管" * 2_000}
ONCE = {"Idempotency-Key": "k-1"}


def settings(url: str) -> dict[str, Any]:
    return {"api_keys": API_KEYS, "database_url": url, "secret": SECRET}


def engine_of(client: TestClient) -> Any:
    return client.app.state.service.memory._database.engine  # type: ignore[attr-defined]


def refuses(client: TestClient, caplog: pytest.LogCaptureFixture, reason: str) -> None:
    """Triage is refused as long as its answer cannot be kept; what needs no store goes on."""
    caplog.clear()
    for path, body in (("/v1/triage", CASE), ("/v1/triage/batch", {"cases": [CASE]})):
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    assert reason in caplog.text
    assert "没人管" not in caplog.text
    assert [client.get(path).status_code for path in ("/healthz", "/v1/model")] == [200, 200]


def test_the_disk_is_full(make_client: MakeClient, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = using(make_client(**settings(f"sqlite:///{tmp_path / 'triage.db'}")), "ticket")
    assert client.post("/v1/triage", json=CASE).status_code == 200
    pages = "PRAGMA max_page_count = {}"

    def limit(connection: Any, _record: Any) -> None:
        connection.execute(pages.format(1))  # SQLite takes the present size instead: not one page more

    engine = engine_of(client)
    event.listen(engine, "connect", limit)
    engine.dispose()
    refuses(client, caplog, "SQLITE_FULL")
    refused = client.post("/v1/triage", json=CASE, headers=ONCE)
    assert refused.status_code == 503
    assert len(listed(client)) == 1
    event.remove(engine, "connect", limit)
    engine.dispose()
    assert client.post("/v1/triage", json=CASE, headers=ONCE).status_code == 200
    assert len(listed(client)) == 2


def test_the_database_may_only_be_read(
    make_client: MakeClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path / 'triage.db'}"
    assert using(make_client(**settings(url)), "ticket").post("/v1/triage", json=CASE).status_code == 200
    client = using(make_client(**settings(f"sqlite:///file:{tmp_path / 'triage.db'}?mode=ro&uri=true")), "ticket")
    refuses(client, caplog, "SQLITE_READONLY")
    assert len(listed(client)) == 1
    forget = client.post("/v1/customers/forget", json={"customer_key": "C"}, headers=as_("boss"))
    assert (forget.status_code, forget.json()["code"]) == (503, "store_unavailable")


def test_the_connection_is_lost_and_found(
    make_client: MakeClient, postgres: str, request: pytest.FixtureRequest
) -> None:
    del request
    client = using(make_client(**settings(postgres)), "ticket")
    before = len(listed(client))
    assert client.post("/v1/triage", json=CASE).status_code == 200
    other = Database(postgres)
    with other.begin() as connection:
        mine = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"))  # noqa: S608
    other.close()
    assert client.post("/v1/triage", json=CASE).status_code == 200
    assert len(listed(client)) == before + 2


def test_a_job_that_fails_fails_alone(tmp_path: Path) -> None:
    """Writes that wait are committed together, and each as if it were alone."""
    database = Database(f"sqlite:///{tmp_path / 'jobs.db'}")
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE kept (n INTEGER PRIMARY KEY)"))

    def job(n: int) -> Any:
        def insert(connection: Connection) -> int:
            connection.execute(text("INSERT INTO kept VALUES (:n)"), {"n": abs(n)})
            if n < 0:
                raise ValueError(n)
            return n

        return insert

    async def scene() -> list[Any]:
        access = Access(database)
        first = asyncio.create_task(access.write(job(1)))
        await asyncio.sleep(0)  # the first is being written; the others wait and go together
        wanted = [access.write(job(n)) for n in (2, -3, 2, 4)]
        found = await asyncio.gather(first, *wanted, return_exceptions=True)
        assert await access.read(lambda connection: connection.scalars(text("SELECT n FROM kept")).all()) == [1, 2, 4]
        await access.close()
        return found

    found = asyncio.run(scene())
    assert [one if isinstance(one, int) else type(one) for one in found] == [1, 2, ValueError, StoreError, 4]


def test_close_writes_what_waits(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'jobs.db'}")

    async def scene() -> int:
        access = Access(database)
        waiting = [asyncio.create_task(access.write(lambda _connection, n=n: n)) for n in range(9)]
        await asyncio.sleep(0)
        await access.close()
        return sum([await one for one in waiting])

    assert asyncio.run(scene()) == 36

"""Keys: their scopes, those made on the command line, and how much each may send."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from api import auth
from api.scopes import Caller, parse_key
from api.store_commands import keys
from tests.api.conftest import MakeClient
from tests.api.store.conftest import API_KEYS, KEYS, SECRET, as_, using
from triage.errors import InputError

CASE = {"text": "没人管"}
NEEDS = {
    ("POST", "/v1/triage"): "triage",
    ("POST", "/v1/triage/batch"): "triage",
    ("GET", "/v1/cases"): "review",
    ("POST", "/v1/feedback"): "review",
    ("GET", "/v1/feedback/export"): "review",
    ("POST", "/v1/customers/forget"): "admin",
}


@pytest.mark.parametrize(("method", "path"), NEEDS)
@pytest.mark.parametrize("who", KEYS)
def test_scopes(make_client: MakeClient, tmp_path: Path, method: str, path: str, who: str) -> None:
    url = f"sqlite:///{tmp_path / 'triage.db'}"
    client = make_client(api_keys=API_KEYS, database_url=url, secret=SECRET)
    answer = client.request(method, path, json={}, headers=as_(who))
    allowed = {"ticket": "triage", "qa": "review", "boss": "admin"}[who] == NEEDS[method, path]
    assert answer.status_code in ((200, 422) if allowed else (403,))
    if not allowed:
        assert (answer.json()["code"], answer.json()["detail"]) == (
            "forbidden",
            f"the key needs the scope '{NEEDS[method, path]}'",
        )
    client.headers.pop("Authorization")
    assert client.request(method, path, json={}).status_code == 401
    assert client.get("/v1/model", headers=as_(who)).status_code == 200


ENTRIES = {
    "abc": (Caller("env-3", frozenset({"triage"})), "abc"),
    "a:b": (Caller("env-3", frozenset({"triage"})), "a:b"),
    "qa:review:abc": (Caller("qa", frozenset({"review"})), "abc"),
    "qa:review+admin:a:b": (Caller("qa", frozenset({"review", "admin"})), "a:b"),
    "Q.A-1:triage+triage:abc": (Caller("Q.A-1", frozenset({"triage"})), "abc"),
}


@pytest.mark.parametrize("given", ENTRIES)
def test_keys_of_the_environment(given: str) -> None:
    assert parse_key(given, 3) == ENTRIES[given]


@pytest.fixture
def command(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TRIAGE_DATABASE_URL", database_url)
    monkeypatch.setenv("TRIAGE_SECRET", SECRET)
    return lambda *words: CliRunner().invoke(keys, words)


def made(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_a_key_is_made_used_listed_and_revoked(
    command: Any, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_FRESH_SECONDS", 0.0)
    key = made(command("create", "tickets", "--scopes", "triage+review"))
    assert len(key) >= 43
    assert key != made(command("create", "another"))
    headers = {"Authorization": f"Bearer {key}"}
    assert client.post("/v1/triage", json=CASE, headers=headers).status_code == 200
    assert client.get("/v1/cases", headers=headers).status_code == 200
    assert client.post("/v1/customers/forget", json={}, headers=headers).status_code == 403
    shown = made(command("list"))
    assert "tickets\treview+triage\tcreated" in shown
    assert key not in shown
    assert made(command("revoke", "tickets")) == "tickets: revoked"
    assert client.post("/v1/triage", json=CASE, headers=headers).status_code == 401
    assert client.post("/v1/triage", json=CASE).status_code == 200
    assert "revoked" in made(command("list"))


REFUSED = {
    "a name twice": ("create", "used"),
    "no name": ("create", "a b"),
    "a name too long": ("create", "x" * 41),
    "no scope": ("create", "new", "--scopes", ""),
    "an unknown scope": ("create", "new", "--scopes", "triage+root"),
    "revoke what is not there": ("revoke", "new"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(command: Any, kind: str) -> None:
    made(command("create", "used"))
    assert isinstance(command(*REFUSED[kind]).exception, InputError)


def test_a_revoked_key_passes_for_a_few_seconds_at_most(command: Any, client: TestClient) -> None:
    """The keys of the store are read anew every 5 s."""
    assert auth._FRESH_SECONDS <= 5
    key = made(command("create", "tickets"))
    refused = client.post("/v1/triage", json=CASE, headers={"Authorization": f"Bearer {key}"})
    client.app.state.service.keys._read_at -= auth._FRESH_SECONDS  # type: ignore[attr-defined]
    accepted = client.post("/v1/triage", json=CASE, headers={"Authorization": f"Bearer {key}"})
    assert (refused.status_code, accepted.status_code) in ((401, 200), (200, 200))


def test_the_database_holds_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "triage.db"
    monkeypatch.setenv("TRIAGE_DATABASE_URL", f"sqlite:///{file}")
    monkeypatch.setenv("TRIAGE_SECRET", SECRET)
    key = made(CliRunner().invoke(keys, ["create", "tickets"]))
    kept = b"".join(part.read_bytes() for part in tmp_path.iterdir())
    assert b"tickets" in kept
    assert key.encode() not in kept
    assert SECRET.encode() not in kept
    with sqlite3.connect(file) as connection:
        ((digest,),) = connection.execute("SELECT hash FROM keys").fetchall()
    assert len(bytes.fromhex(digest)) == 32


def test_rate_limit(make_client: MakeClient) -> None:
    client = make_client(api_keys="plain-key,other:triage:other-key", rate_limit="5/hour")
    using(client, "ticket")
    assert [client.post("/v1/triage", json=CASE).status_code for _ in range(3)] == [200] * 3
    refused = client.post("/v1/triage/batch", json={"cases": [CASE] * 3})
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.json()["detail"] == "this key may send 5/hour"
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    other = {"Authorization": "Bearer other-key"}
    assert client.post("/v1/triage/batch", json={"cases": [CASE] * 5}, headers=other).status_code == 200
    assert client.post("/v1/triage", json=CASE, headers=other).status_code == 429
    assert client.get("/healthz").status_code == 200
    assert client.get("/v1/model", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_after_the_time_given_it_passes_again(make_client: MakeClient) -> None:
    client = using(make_client(api_keys="plain-key", rate_limit="1/second"), "ticket")
    while client.post("/v1/triage", json=CASE).status_code == 200:
        pass
    refused = client.post("/v1/triage", json=CASE)
    time.sleep(int(refused.headers.get("Retry-After", "1")) + 1)
    assert client.post("/v1/triage", json=CASE).status_code == 200

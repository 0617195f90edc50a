"""Which requests need a key, and which keys pass."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.auth import Keys
from tests.api.conftest import KEY, MakeClient

GUARDED = [("POST", "/v1/triage"), ("POST", "/v1/triage/batch"), ("GET", "/v1/model"), ("GET", "/v1/taxonomy")]
OPEN = ["/healthz", "/readyz", "/openapi.json"]
REFUSED = {
    "none": None,
    "wrong": "Bearer wrong",
    "longer": f"Bearer {KEY}x",
    "shorter": f"Bearer {KEY[:-1]}",
    "another case": f"Bearer {KEY.upper()}",
    "several at once": f"Bearer other,{KEY}",
    "no scheme": KEY,
    "another scheme": f"Basic {KEY}",
    "empty": "Bearer ",
    "not ASCII": "Bearer \u00e9\u00ff",
}


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize("kind", REFUSED)
def test_refused(client: TestClient, method: str, path: str, kind: str) -> None:
    given = REFUSED[kind]
    client.headers.pop("Authorization")
    headers = {"Authorization": given.encode("latin-1")} if given is not None else {}
    answer = client.request(method, path, headers=headers, content=b"{not even JSON")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "unauthorized"


@pytest.mark.parametrize("given", [f"Bearer {KEY}", f"bearer {KEY}", "Bearer other"])
def test_accepted(client: TestClient, given: str) -> None:
    assert client.get("/v1/model", headers={"Authorization": given}).status_code == 200


@pytest.mark.parametrize("path", OPEN)
def test_open_to_all(client: TestClient, path: str) -> None:
    client.headers.pop("Authorization")
    assert client.get(path).status_code in (200, 503)


def test_no_auth(make_client: MakeClient) -> None:
    client = make_client(api_keys="", auth=False)
    client.headers.pop("Authorization")
    assert client.post("/v1/triage", json={"text": "没人管"}).status_code == 200


def test_keys_are_kept_as_hashes(client: TestClient) -> None:
    keys = client.app.state.service.keys  # type: ignore[attr-defined]
    assert isinstance(keys, Keys)
    assert KEY not in repr(vars(keys))

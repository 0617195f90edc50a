"""Nothing that points at a person reaches the database or the log: looked for in the bytes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import MakeClient
from tests.api.store.conftest import API_KEYS, SECRET, as_, using

CUSTOMER = "客户张三丰-8837261"
PERSONAL = {
    "mobile": "13800138000",
    "spaced": "138 0013 8000",
    "full-width": "１３９００１３９０００",
    "spoken": "幺三七零零幺三七零零零",
    "id card": "11010519491231002X",
    "bank card": "4111111111111111",
    "e-mail": "zhang.san@example.com",
    "plate": "京A12345",
    "customer": CUSTOMER,
}
WORDS = "没人管"


def case(identifier: str, **more: Any) -> dict[str, Any]:
    """A case that has the identifier wherever it can stand."""
    metadata = dict.fromkeys(("agent_id", "product", "region", "customer_type"), identifier)
    return {"text": f"{WORDS}，打 {identifier} 找我", **metadata, "id": identifier, "customer_key": CUSTOMER, **more}


@pytest.fixture
def client(make_client: MakeClient, tmp_path: Path) -> TestClient:
    url = f"sqlite:///{tmp_path / 'triage.db'}"
    return using(make_client(api_keys=API_KEYS, database_url=url, secret=SECRET), "ticket")


def everything(folder: Path) -> bytes:
    """The bytes of the database, its journal too."""
    return b"".join(part.read_bytes() for part in folder.iterdir() if part.is_file())


def test_the_database_and_the_log_hold_no_identifier(
    client: TestClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for identifier in PERSONAL.values():
        if identifier != CUSTOMER:
            turns = [{"speaker": "customer", "text": f"{WORDS}，{identifier}"}]
            once = {"Idempotency-Key": f"key-of-{identifier}"} if identifier.isascii() and " " not in identifier else {}
            assert client.post("/v1/triage", json=case(identifier), headers=once).status_code == 200
            batch = {"cases": [case(identifier, text=None, turns=turns), case(identifier, text="")]}
            assert client.post("/v1/triage/batch", json=batch).status_code == 200
            feedback = {"case": case(identifier), "labels": {"motive": "respect"}}
            assert client.post("/v1/feedback", json=feedback, headers=as_("qa")).status_code == 200
    shown = client.get("/v1/cases", params={"limit": 200}, headers=as_("qa")).text
    exported = client.get("/v1/feedback/export", headers=as_("qa")).text
    found = everything(tmp_path) + shown.encode() + exported.encode() + caplog.text.encode()
    assert WORDS.encode() in everything(tmp_path)  # text is looked for in the form in which it is kept
    assert "[手机号]".encode() in found
    for identifier in PERSONAL.values():
        assert identifier.encode() not in found
        assert json.dumps(identifier)[1:-1].encode() not in found


def test_a_customer_is_known_by_a_hash_that_needs_the_secret(make_client: MakeClient, tmp_path: Path) -> None:
    hashes = []
    for name, secret in (("a", SECRET), ("b", SECRET), ("c", SECRET[::-1])):
        url = f"sqlite:///{tmp_path / name}.db"
        client = using(make_client(api_keys=API_KEYS, database_url=url, secret=secret), "ticket")
        client.post("/v1/triage", json=case("x"))
        with sqlite3.connect(tmp_path / f"{name}.db") as connection:
            hashes += connection.execute("SELECT customer FROM cases").fetchall()
    assert hashes[0] == hashes[1] != hashes[2]


def test_what_is_forgotten_is_gone_from_the_file(client: TestClient, tmp_path: Path) -> None:
    for number in range(20):
        client.post("/v1/triage", json={"text": f"{WORDS}蓝鲸{number}", "customer_key": CUSTOMER})
    client.post("/v1/triage", json={"text": f"{WORDS}白鹭", "customer_key": "another"})
    assert "蓝鲸".encode() in everything(tmp_path)
    answer = client.post("/v1/customers/forget", json={"customer_key": CUSTOMER}, headers=as_("boss"))
    assert answer.json() == {"deleted": 20}
    assert "蓝鲸".encode() not in everything(tmp_path)
    assert "白鹭".encode() in everything(tmp_path)

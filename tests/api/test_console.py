"""The pages: who may see them, that keys and words go nowhere they should not, and that corrections are kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import MakeClient

REVIEWER, TRIAGER = "key-of-a-reviewer", "key-of-a-clerk"
HOSTILE = "<script>alert(1)</script>没人管，打13800138000，再不处理就打12315"


@pytest.fixture
def people(make_client: MakeClient, tmp_path: Path) -> TestClient:
    """A service with a store, and a browser without a key."""
    keys = f"mei:triage+review:{REVIEWER},clerk:triage:{TRIAGER}"
    store = {"database_url": f"sqlite:///{tmp_path}/s.sqlite", "secret": "a-secret-of-thirty-two-characters!"}
    client = make_client(api_keys=keys, **store)
    client.headers.pop("Authorization")
    client.follow_redirects = True
    return client


def come(browser: TestClient, key: str) -> None:
    assert browser.post("/console/session", data={"key": key}).status_code == 200


@pytest.mark.parametrize("path", ["/console", "/console/cases"])
def test_a_stranger_is_asked_for_a_key(people: TestClient, path: str) -> None:
    answer = people.get(path)
    assert answer.status_code == 401
    assert 'type="password"' in answer.text


@pytest.mark.parametrize("key", ["", "wrong", REVIEWER + "x", "密钥"])
def test_a_wrong_key_is_refused(people: TestClient, key: str) -> None:
    answer = people.post("/console/session", data={"key": key})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert people.post("/console", data={"text": "没人管"}).status_code == 401


def test_the_key_is_kept_out_of_reach(people: TestClient) -> None:
    people.follow_redirects = False
    answer = people.post("/console/session", data={"key": REVIEWER})
    assert answer.headers["location"] == "/console"
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/console"} <= {part.strip() for part in cookie.split(";")}
    assert REVIEWER not in people.get("/console").text
    people.post("/console/leave")
    assert people.get("/console").status_code == 401


def test_a_form_of_another_site_is_refused(people: TestClient) -> None:
    come(people, REVIEWER)
    other = {"Origin": "https://elsewhere.example"}
    assert people.post("/console", data={"text": "没人管"}, headers=other).status_code == 403
    same = {"Origin": "http://testserver"}
    assert people.post("/console", data={"text": "没人管"}, headers=same).status_code == 200


def test_a_contact_is_shown_marked_masked_and_escaped(people: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    come(people, TRIAGER)
    answer = people.post("/console", data={"text": HOSTILE, "channel": "call"})
    assert answer.status_code == 200
    result = answer.text.partition("</form>\n<div")[2]
    assert '<mark class="signal" title="扬言找监管部门">12315</mark>' in result
    assert "[手机号]" in result
    assert "13800138000" not in result
    assert "<script" not in answer.text
    assert not re.search(r"https?://|src=|@import|url\(", answer.text)
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "没人管" not in caplog.text


@pytest.mark.parametrize(("text", "message"), [("", "text: "), ("锟斤拷" * 9, "garbled"), ("boom", "stage")])
def test_what_cannot_be_triaged_is_said(people: TestClient, text: str, message: str) -> None:
    come(people, TRIAGER)
    answer = people.post("/console", data={"text": text})
    assert answer.status_code in (422, 500)
    assert re.search(rf'role="alert">[^<]*({message}|the text is empty)', answer.text)


def test_scopes_hold(people: TestClient) -> None:
    come(people, TRIAGER)
    assert people.get("/console/cases").status_code == 403
    assert people.post("/console/cases/1", data={"motive": "respect"}).status_code == 403


def test_a_case_is_corrected(people: TestClient) -> None:
    key = {"Authorization": f"Bearer {REVIEWER}"}
    for text in ("没人管，真的没人管", HOSTILE):  # the fake wants the first one reviewed
        assert people.post("/v1/triage", json={"id": text[:2], "text": text}, headers=key).status_code == 200
    come(people, REVIEWER)
    page = people.get("/console/cases").text
    assert "没人管，真的没人管" in page
    assert "alert(1)" not in page
    assert "&lt;script&gt;" in people.get("/console/cases?review=false").text
    chosen = {"motive": "respect", "risk_tier": "2", "issues": ["delay", "attitude"], "emotion": ""}
    after = people.post("/console/cases/1", data=chosen)
    assert (after.status_code, after.url.query) == (200, b"kept=1")
    (line,) = people.get("/v1/feedback/export", headers=key).text.splitlines()
    assert '"motive": "respect"' in line
    assert '"risk_tier": 2' in line
    assert "emotion" not in line
    assert people.post("/console/cases/99", data=chosen).status_code == 404


def test_without_a_store_and_without_keys(make_client: MakeClient) -> None:
    browser = make_client(api_keys="", auth=False)
    assert browser.get("/console").status_code == 200
    assert browser.get("/console/cases").status_code == 404

"""What is stored of a contact, how it is listed, and how it is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import MakeClient
from tests.api.store.conftest import as_, listed
from tests.fakes import FakeTriager

CASE = {"id": "T-1", "text": "没人管，打12315", "channel": "ticket", "product": "净水器"}


def test_an_answered_contact_is_stored(client: TestClient) -> None:
    answer = client.post("/v1/triage", json=CASE)
    (stored,) = listed(client)
    assert stored["result"] == answer.json()
    assert stored["case"] == CASE
    assert stored["received_at"].endswith("+00:00")


def test_of_a_batch_the_answered_ones_are_stored_in_order(client: TestClient) -> None:
    cases = [
        {"id": "a", "text": "没人管"},
        {"id": "b", "text": ""},
        {"id": "c", "text": "boom"},
        {"id": "d", "text": "退款"},
    ]
    assert client.post("/v1/triage/batch", json={"cases": cases}).status_code == 200
    assert [one["case"]["id"] for one in listed(client)] == ["d", "a"]


@pytest.mark.parametrize("body", [{"text": ""}, {"text": "boom"}, {"text": "crash"}])
def test_what_was_not_answered_is_not_stored(client: TestClient, body: dict[str, str]) -> None:
    assert client.post("/v1/triage", json=body).status_code >= 400
    assert listed(client) == []


CONTACTS = [
    {"id": "calm", "text": "你好", "created_at": "2025-03-01T08:00:00+08:00"},
    {"id": "basic", "text": "没人管", "created_at": "2025-03-02T00:00:00"},
    {"id": "severe", "text": "没人管，打12315", "created_at": "2025-03-03T23:00:00Z"},
]
FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["severe", "basic", "calm"]),
    ({"tier": 3}, ["severe"]),
    ({"tier": [0, 1]}, ["basic", "calm"]),
    ({"type": "none"}, ["calm"]),
    ({"type": "service", "tier": "1"}, ["basic"]),
    ({"tier": "unheard of"}, []),
    ({"review": True}, ["basic"]),
    ({"review": False}, ["severe", "calm"]),
    ({"since": "2025-03-01T16:00:00Z"}, ["severe", "basic"]),
    ({"since": "2025-03-02T00:00:01"}, ["severe"]),
    ({"until": "2025-03-02T00:00:00"}, ["calm"]),
    ({"until": "2025-03-03T23:00:00Z"}, ["basic", "calm"]),
    ({"limit": 2}, ["severe", "basic"]),
]


def test_filters(client: TestClient) -> None:
    for case in CONTACTS:
        assert client.post("/v1/triage", json=case).status_code == 200
    for query, ids in FILTERS:
        assert [one["case"]["id"] for one in listed(client, **query)] == ids, query


def test_the_tier_is_that_of_the_head_which_the_policy_names(client: TestClient, triager: FakeTriager) -> None:
    triager.policy = triager.policy.model_copy(update={"tier_head": "escalation"})
    client.post("/v1/triage", json=CASE)
    assert [len(listed(client, tier=tier)) for tier in ("high", "3")] == [1, 0]


def test_pages_hold_every_contact_once(client: TestClient) -> None:
    client.post("/v1/triage/batch", json={"cases": [{"id": str(n), "text": "没人管"} for n in range(7)]})
    found: list[str] = []
    before: dict[str, int] = {}
    while True:
        page = client.get("/v1/cases", params={"limit": 3, **before}, headers=as_("qa")).json()
        found += [one["case"]["id"] for one in page["cases"]]
        client.post("/v1/triage", json={"id": "later", "text": "没人管"})  # moves no page
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert found == [str(n) for n in reversed(range(7))]


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"since": "yesterday"}, {"before": -1}, {"review": "?"}, {"tire": 3}]
)
def test_bad_filters(client: TestClient, query: dict[str, Any]) -> None:
    answer = client.get("/v1/cases", params=query, headers=as_("qa"))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")


ODD: dict[str, dict[str, Any]] = {
    "NUL": {"text": "没人管\0\x01\u2028"},
    "emoji and rare characters": {"text": "没人管😡𠮷"},
    "quotes": {"text": "没人管'; DROP TABLE cases; --\"\\"},
    "the longest": {"text": "没" * 50_000},
    "the first day": {"text": "没人管", "created_at": "0001-01-01T00:00:00+14:00"},
    "the last day": {"text": "没人管", "created_at": "9999-12-31T23:59:59-12:00"},
    "a huge count": {"text": "没人管", "prior_contacts": 10**30},
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_contacts_come_back_as_they_were(client: TestClient, kind: str) -> None:
    case = {"id": "odd", "customer_key": "C-1\0'", **ODD[kind]}
    for _ in range(2):
        answer = client.post("/v1/triage", json=case)
        assert answer.status_code == 200, answer.text
    assert listed(client)[0]["case"]["text"] == case["text"]
    assert len(listed(client, since="0001-01-01T00:00:00+14:00")) == 2
    assert forget(client, "C-1\0'") == 2


def forget(client: TestClient, customer: str) -> Any:
    answer = client.post("/v1/customers/forget", json={"customer_key": customer}, headers=as_("boss"))
    assert answer.status_code == 200
    return answer.json()["deleted"]


def test_a_customer_is_forgotten_whole(client: TestClient) -> None:
    once = {"Idempotency-Key": "k-1"}
    theirs = {"id": "a", "text": "没人管", "customer_key": "C-1"}
    client.post("/v1/triage", json=theirs, headers=once)
    client.post(
        "/v1/triage/batch", json={"cases": [{**theirs, "id": "b"}, {"id": "c", "text": "退款", "customer_key": "C-2"}]}
    )
    client.post("/v1/feedback", json={"id": "a", "labels": {"motive": "respect"}}, headers=as_("qa"))
    assert (forget(client, "C-3"), forget(client, "C-1"), forget(client, "C-1")) == (0, 2, 0)
    assert [one["case"]["id"] for one in listed(client)] == ["c"]
    assert client.get("/v1/feedback/export", headers=as_("qa")).text == ""
    client.post("/v1/triage", json=theirs, headers=once)  # the stored answer is gone too: this is a new contact
    assert [one["case"]["id"] for one in listed(client)] == ["a", "c"]


def test_retention(client: TestClient) -> None:
    from sqlalchemy import update

    from api.store.tables import cases

    client.post("/v1/triage/batch", json={"cases": [{"id": str(n), "text": "没人管"} for n in range(5)]})
    client.post("/v1/feedback", json={"id": "0", "labels": {"motive": "respect"}}, headers=as_("qa"))
    memory = client.app.state.service.memory  # type: ignore[attr-defined]
    for days, records in ((179, [4, 5]), (181, [1, 2, 3])):
        aged = update(cases).where(cases.c.record.in_(records)).values(received_at=datetime.now(UTC) - timedelta(days))
        client.portal.call(memory.write, lambda connection, aged=aged: connection.execute(aged).rowcount)  # type: ignore[union-attr]
    assert client.portal.call(memory.purge) == 3  # type: ignore[union-attr]
    assert [one["record"] for one in listed(client)] == [5, 4]
    assert client.get("/v1/feedback/export", headers=as_("qa")).text == ""


def test_without_a_store_nothing_is_kept(make_client: MakeClient) -> None:
    client = make_client(api_keys="plain-key,qa:review:review-key,boss:admin:admin-key")
    client.headers.update(as_("ticket"))
    case = {"text": "没人管", "customer_key": "C-1"}
    assert client.post("/v1/triage", json=case, headers={"Idempotency-Key": "k"}).status_code == 200
    for path in ("/v1/cases", "/v1/feedback/export"):
        answer = client.get(path, headers=as_("qa"))
        assert (answer.status_code, answer.json()["code"]) == (404, "no_store")

"""The same request twice: one contact, one answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.store.tables import claims
from tests.api.conftest import MakeClient
from tests.api.store.conftest import as_, listed, using
from tests.api.test_capacity import shut
from tests.fakes import GatedTriager

CASE = {"id": "T-1", "text": "没人管"}
BODIES = {"/v1/triage": CASE, "/v1/triage/batch": {"cases": [CASE, {"text": ""}, {"id": "T-2", "text": "退款"}]}}


def post(client: TestClient, path: str, body: Any, key: str = "k-1", who: str = "ticket") -> Any:
    return client.post(path, json=body, headers={"Idempotency-Key": key, **as_(who)})


@pytest.mark.parametrize("path", BODIES)
def test_the_same_again_gets_the_stored_answer(client: TestClient, triager: GatedTriager, path: str) -> None:
    first = post(client, path, BODIES[path])
    stored = listed(client)
    triager.calls.clear()
    again = post(client, path, BODIES[path])
    assert (again.status_code, again.json()) == (200, first.json())
    assert listed(client) == stored
    assert triager.calls == []


def test_white_space_and_order_make_no_other_body(client: TestClient) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    for body in ('{"id": "T-1", "text": "没人管"}', '{ "text":"没人管","id":"T-1" }'):
        assert client.post("/v1/triage", content=body.encode(), headers=headers).status_code == 200
    assert len(listed(client)) == 1


def test_another_body_under_the_same_key_is_refused(client: TestClient) -> None:
    post(client, "/v1/triage", CASE)
    answer = post(client, "/v1/triage", {**CASE, "text": "退款"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(listed(client)) == 1


def test_each_caller_route_and_key_counts_for_itself(make_client: MakeClient, store_settings: dict[str, Any]) -> None:
    more = f"{store_settings['api_keys']},other:triage:other-key"
    client = using(make_client(**{**store_settings, "api_keys": more}), "ticket")
    post(client, "/v1/triage", CASE)
    post(client, "/v1/triage", CASE, key="k-2")
    post(client, "/v1/triage/batch", {"cases": [CASE]})
    other = {"Idempotency-Key": "k-1", "Authorization": "Bearer other-key"}
    client.post("/v1/triage", json={**CASE, "text": "退款"}, headers=other)
    assert len(listed(client)) == 4


@pytest.mark.parametrize("bad", [{"text": ""}, {"text": "boom"}])
def test_a_request_that_failed_may_be_mended(client: TestClient, bad: dict[str, str]) -> None:
    assert post(client, "/v1/triage", bad).status_code >= 400
    assert post(client, "/v1/triage", CASE).status_code == 200


def test_at_the_same_time_one_works_and_the_others_get_its_answer(client: TestClient, triager: GatedTriager) -> None:
    shut(client, triager)
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(post, client, "/v1/triage", CASE) for _ in range(8)]
        assert triager.entered.wait(10)
        triager.gate.set()
        answers = [one.result() for one in sent]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert (len(listed(client)), triager.calls) == (1, [["T-1"]])


def test_two_workers_share_one_store(make_client: MakeClient, store_settings: dict[str, Any]) -> None:
    workers = [using(make_client(**store_settings), "ticket") for _ in range(2)]
    with ThreadPoolExecutor(12) as pool:
        sent = [pool.submit(post, workers[n % 2], "/v1/triage", CASE, f"k-{n // 6}") for n in range(12)]
        answers = [one.result() for one in sent]
    assert {answer.status_code for answer in answers} == {200}
    assert [one["case"]["id"] for one in listed(workers[0])] == ["T-1", "T-1"]
    assert listed(workers[0]) == listed(workers[1])


def test_who_waits_too_long_is_told_so(make_client: MakeClient, store_settings: dict[str, Any]) -> None:
    client = using(make_client(**store_settings, deadline_seconds=0.3), "ticket")
    memory = client.app.state.service.memory  # type: ignore[attr-defined]
    post(client, "/v1/triage", CASE)
    unanswered = update(claims).values(answer=None)
    client.portal.call(memory.write, lambda connection: connection.execute(unanswered).rowcount)  # type: ignore[union-attr]
    answer = post(client, "/v1/triage", CASE)
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (409, "in_progress", "1")


OLD = {
    "left by a worker that died": (timedelta(seconds=45), None),
    "answered before yesterday": (timedelta(hours=25), [{"old": True}]),
}


@pytest.mark.parametrize("kind", OLD)
def test_an_old_claim_is_taken_over(client: TestClient, kind: str) -> None:
    age, answer = OLD[kind]
    post(client, "/v1/triage", CASE)
    memory = client.app.state.service.memory  # type: ignore[attr-defined]
    aged = update(claims).values(started_at=datetime.now(UTC) - age, answer=answer)
    client.portal.call(memory.write, lambda connection: connection.execute(aged).rowcount)  # type: ignore[union-attr]
    assert post(client, "/v1/triage", CASE).json()["model"]["name"] == "fake"
    assert len(listed(client)) == 2


def test_who_was_overtaken_keeps_nothing(client: TestClient, triager: GatedTriager) -> None:
    memory = client.app.state.service.memory  # type: ignore[attr-defined]
    shut(client, triager)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(post, client, "/v1/triage", CASE)
        assert triager.entered.wait(10)
        taken = update(claims).values(started_at=datetime.now(UTC) + timedelta(seconds=1))
        client.portal.call(memory.write, lambda connection: connection.execute(taken).rowcount)  # type: ignore[union-attr]
        triager.gate.set()
        assert slow.result().status_code == 503
    assert listed(client) == []


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_a_key_that_is_none(client: TestClient, key: str) -> None:
    answer = client.post("/v1/triage", json=CASE, headers={"Idempotency-Key": key.encode("latin-1")})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert listed(client) == []

"""Over capacity, past the deadline, and clients that leave, as HTTP sees them."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import KEY, MakeClient
from tests.fakes import GatedTriager

CASE = {"text": "没人管"}


def ready(client: TestClient) -> None:
    while client.get("/readyz").status_code != 200:
        time.sleep(0.01)


def shut(client: TestClient, triager: GatedTriager) -> None:
    """From here on the model is busy."""
    ready(client)
    triager.calls.clear()
    triager.entered.clear()
    triager.gate.clear()


@pytest.mark.parametrize(("path", "body"), [("/v1/triage", CASE), ("/v1/triage/batch", {"cases": [CASE] * 3})])
def test_over_capacity(make_client: MakeClient, triager: GatedTriager, path: str, body: Any) -> None:
    client = make_client(queue_characters=60)
    shut(client, triager)
    with ThreadPoolExecutor() as pool:
        accepted = pool.submit(client.post, "/v1/triage", json=CASE)
        assert triager.entered.wait(10)
        started = time.perf_counter()
        refused = client.post(path, json=body)
        assert time.perf_counter() - started < 1
        triager.gate.set()
        assert accepted.result().status_code == 200
    assert refused.status_code == 503
    assert refused.json()["code"] == "over_capacity"
    assert int(refused.headers["Retry-After"]) >= 1
    assert client.post(path, json=body).status_code == 200


def test_the_loop_stays_free(make_client: MakeClient, triager: GatedTriager) -> None:
    client = make_client()
    shut(client, triager)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.post, "/v1/triage", json=CASE)
        assert triager.entered.wait(10)
        assert client.get("/healthz").status_code == 200
        triager.gate.set()
        assert waiting.result().status_code == 200


def test_deadline(make_client: MakeClient, triager: GatedTriager) -> None:
    client = make_client(deadline_seconds=0.1)
    shut(client, triager)
    answer = client.post("/v1/triage", json=CASE)
    triager.gate.set()
    assert answer.status_code == 503
    assert "not answered within 0.1 s" in answer.json()["detail"]
    assert "Retry-After" in answer.headers


async def leave(app: Any, *, sends: list[dict[str, Any]], after: asyncio.Event) -> list[Any]:
    """A client that sends what it has to send and is gone after that; returns what it was sent."""
    received: list[Any] = []
    headers = [(b"authorization", f"Bearer {KEY}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/triage", "query_string": b"", "headers": headers}

    async def receive() -> dict[str, Any]:
        if sends:
            return sends.pop(0)
        await after.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        received.append(message)

    await app(scope, receive, send)
    return received


def test_a_client_that_left_is_dropped(
    make_client: MakeClient, triager: GatedTriager, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client()
    shut(client, triager)
    body = json.dumps({"id": "left", "text": "没人管"}).encode()

    async def scene() -> None:
        gone = asyncio.Event()
        request = asyncio.create_task(
            leave(client.app, sends=[{"type": "http.request", "body": body, "more_body": False}], after=gone)
        )
        while client.app.state.service.batcher.load < 60:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
        gone.set()
        (start, _) = await request
        assert start["status"] == 499

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.post, "/v1/triage", json={"id": "stays", **CASE})
        assert triager.entered.wait(10)
        client.portal.call(scene)  # type: ignore[union-attr]
        triager.gate.set()
        assert waiting.result().status_code == 200
    assert triager.calls == [["stays"]]
    assert "'status': 499" in caplog.text


def test_a_client_that_left_while_sending(make_client: MakeClient) -> None:
    client = make_client()
    gone = asyncio.Event()
    gone.set()
    part = {"type": "http.request", "body": b'{"text"', "more_body": True}
    (start, _) = asyncio.run(leave(client.app, sends=[part], after=gone))
    assert start["status"] == 499


def test_a_body_that_does_not_arrive(make_client: MakeClient) -> None:
    client = make_client(deadline_seconds=0.05)
    part = {"type": "http.request", "body": b'{"text"', "more_body": True}
    (start, body) = asyncio.run(leave(client.app, sends=[part], after=asyncio.Event()))
    assert start["status"] == 408
    assert json.loads(body["body"])["code"] == "too_slow"

"""Answers: the contract, masked evidence, batches in order, and no item spoiled by another."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.fakes import GatedTriager


def test_one_case(client: TestClient) -> None:
    answer = client.post("/v1/triage", json={"id": "T-1", "text": "没人管,再不处理就打12315"})
    assert answer.status_code == 200
    result = answer.json()
    assert (result["id"], result["risk_tier"]["label"]) == ("T-1", 3)
    assert {"evidence", "turns", "handling", "review", "model"} < result.keys()
    assert result["model"] == {"name": "fake", "version": "0.1", "taxonomy": "complaints-1", "policy": "default-1"}


def test_turns_and_unknown_keys(client: TestClient) -> None:
    turns = [{"speaker": "agent", "text": "您好"}, {"speaker": "customer", "text": "算了"}]
    answer = client.post("/v1/triage", json={"turns": turns, "channel": "call", "queue": "north"})
    assert answer.json()["dissatisfaction"]["label"] == "unspoken"


@pytest.mark.parametrize("path", ["/v1/triage", "/v1/triage/batch"])
def test_identifiers_are_masked(client: TestClient, path: str, caplog: pytest.LogCaptureFixture) -> None:
    case = {"text": "没人管,打13800138000"}
    answer = client.post(path, json=case if path == "/v1/triage" else {"cases": [case]})
    assert "[手机号]" in answer.text
    assert "13800138000" not in answer.text
    assert "没人管" not in caplog.text


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_batch_keeps_its_order(client: TestClient, count: int) -> None:
    cases = [{"id": f"T-{n}", "text": "没人管"} for n in range(count)]
    answer = client.post("/v1/triage/batch", json={"cases": cases})
    assert answer.status_code == 200
    assert [result["id"] for result in answer.json()["results"]] == [case["id"] for case in cases]


ITEMS = {
    "good": ({"id": "good", "text": "没人管"}, None),
    "empty": ({"id": "empty", "text": ""}, "bad_input"),
    "stage": ({"id": "stage", "text": "boom"}, "stage_failed"),
    "call": ({"id": "call", "text": "crash"}, "stage_failed"),
    "no case": (7, "bad_input"),
    "another": ({"id": "another", "text": "退款"}, None),
}


@pytest.mark.parametrize("first", ITEMS)
def test_one_bad_item_spoils_no_other(client: TestClient, first: str) -> None:
    items = [ITEMS[first], *(item for name, item in ITEMS.items() if name != first)]
    answer = client.post("/v1/triage/batch", json={"cases": [case for case, _ in items]})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result.get("error", {}).get("code") for result in results] == [code for _, code in items]
    assert [result["id"] for result in results] == [case["id"] if isinstance(case, dict) else "" for case, _ in items]


def test_a_batch_goes_to_the_model_in_few_calls(client: TestClient, triager: GatedTriager) -> None:
    triager.calls.clear()
    client.post("/v1/triage/batch", json={"cases": [{"text": "没人管"}] * 64})
    assert [len(call) for call in triager.calls] == [32, 32]

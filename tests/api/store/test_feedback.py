"""Labels that people give, and the labelled cases that come out of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.store.conftest import as_, listed
from training.cases import read_cases
from triage.taxonomy import load_taxonomy

CASE = {"id": "T-1", "text": "没人管，打13800138000", "channel": "ticket"}


def give(client: TestClient, **body: Any) -> Any:
    return client.post("/v1/feedback", json=body, headers=as_("qa"))


def exported(client: TestClient) -> list[dict[str, Any]]:
    answer = client.get("/v1/feedback/export", headers=as_("qa"))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_labels_come_back_with_the_case(client: TestClient, tmp_path: Path) -> None:
    client.post("/v1/triage", json=CASE)
    labels = {"risk_tier": "2", "motive": "respect", "issues": ["delay"], "emotion": None}
    assert give(client, id="T-1", labels=labels).json() == {"record": 1}
    inline = {"turns": [{"speaker": "customer", "text": "退款"}], "channel": "call", "customer_key": "C-1"}
    assert give(client, case=inline, labels={"contact_class": "regular"}).json() == {"record": 2}
    (first, second) = exported(client)
    assert first == {
        "id": "T-1",
        "text": "没人管，打[手机号]",
        "channel": "ticket",
        "labels": {"risk_tier": 2, "motive": "respect", "issues": ["delay"]},
        "source": "feedback",
    }
    assert (second["id"], second["turns"]) == ("record-2", inline["turns"])
    file = tmp_path / "labelled.jsonl"
    file.write_text(client.get("/v1/feedback/export", headers=as_("qa")).text, "utf-8")
    (one, two) = read_cases([file], load_taxonomy())
    assert (one.labels, two.labels) == (first["labels"], {"contact_class": "regular"})


def test_the_last_label_of_a_head_counts(client: TestClient) -> None:
    client.post("/v1/triage", json=CASE)
    give(client, id="T-1", labels={"motive": "respect", "risk_tier": 1})
    give(client, record=1, labels={"motive": "venting"})
    (one,) = exported(client)
    assert one["labels"] == {"motive": "venting", "risk_tier": 1}


def test_an_id_that_came_twice_means_the_latest(client: TestClient) -> None:
    client.post("/v1/triage", json=CASE)
    client.post("/v1/triage", json={**CASE, "text": "退款"})
    assert give(client, id="T-1", labels={"motive": "respect"}).json() == {"record": 2}


def test_more_than_one_page_is_exported_in_order(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.memory._EXPORTED_AT_ONCE", 2)
    for number in range(5):
        give(client, case={"id": f"T-{number}", "text": "没人管"}, labels={"motive": "respect"})
    assert [one["id"] for one in exported(client)] == [f"T-{number}" for number in range(5)]


def test_a_labelled_case_sent_along_is_listed_without_a_result(client: TestClient) -> None:
    give(client, case=CASE, labels={"motive": "respect"})
    (one,) = listed(client)
    assert (one["case"]["id"], one["result"]) == ("T-1", None)


WORDS = "翡翠秘密"
MOTIVE = {"motive": "respect"}
REFUSED = {
    "unknown head": ({"id": "T-1", "labels": {WORDS: 1}}, "labels: heads are complaint_type"),
    "unknown label": ({"id": "T-1", "labels": {"motive": WORDS}}, "labels.motive: one of none, venting"),
    "label of another kind": ({"id": "T-1", "labels": {"motive": {"label": "respect"}}}, "labels.motive: one of"),
    "true is no tier": ({"id": "T-1", "labels": {"risk_tier": True}}, "labels.risk_tier: one of 0, 1"),
    "several for one": ({"id": "T-1", "labels": {"motive": ["respect"]}}, "labels.motive: one of"),
    "one for several": ({"id": "T-1", "labels": {"issues": "delay"}}, "labels.issues: a list of"),
    "nothing known": ({"id": "T-1", "labels": {"motive": None}}, "at least one label"),
    "no labels": ({"id": "T-1"}, "labels: Field required"),
    "about nothing": ({"labels": MOTIVE}, "one of id, record and case"),
    "about two": ({"id": "T-1", "record": 1, "labels": MOTIVE}, "one of id, record and case"),
    "a bad case": ({"case": {"text": ""}, "labels": MOTIVE}, "case: the text is empty"),
    "unknown field": ({"id": "T-1", "labels": MOTIVE, WORDS: 1}, "(unknown field): Extra inputs"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(client: TestClient, kind: str) -> None:
    body, detail = REFUSED[kind]
    answer = give(client, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert detail in answer.json()["detail"]
    assert WORDS not in answer.text


@pytest.mark.parametrize("about", [{"id": "unheard of"}, {"record": 77}])
def test_about_a_contact_that_is_not_stored(client: TestClient, about: dict[str, Any]) -> None:
    answer = give(client, **about, labels=MOTIVE)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_case")
    assert exported(client) == []

"""The document that clients are made from, and the page for people."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.corrections import read_labels
from api.examples import CALL, TICKET
from api.schemas import components
from tests.api.conftest import MakeClient
from triage.case import Case
from triage.taxonomy import Taxonomy, load_taxonomy

REVIEW = {"/v1/cases", "/v1/feedback", "/v1/feedback/export", "/v1/customers/forget"}
ROUTES = {"/v1/triage", "/v1/triage/batch", "/v1/model", "/v1/taxonomy", "/healthz", "/readyz", *REVIEW}


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def references(part: object) -> set[str]:
    return set(re.findall(r"#/components/schemas/(\w+)", str(part)))


def test_every_route_and_no_loose_reference(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == ROUTES
    assert references(document) == set(document["components"]["schemas"])


@pytest.mark.parametrize("path", sorted(ROUTES))
def test_keys_and_problems_are_documented(document: dict[str, Any], path: str) -> None:
    (operation,) = document["paths"][path].values()
    assert ("security" in operation) == path.startswith("/v1")
    assert ("401" in operation["responses"]) == path.startswith("/v1")
    for status, response in operation["responses"].items():
        good = "application/x-ndjson" if path.endswith("/export") else "application/json"
        media = good if status == "200" else "application/problem+json"
        assert list(response["content"]) == [media]


@pytest.mark.parametrize("example", [TICKET, CALL])
def test_examples_are_cases(client: TestClient, example: dict[str, Any]) -> None:
    assert Case.model_validate(example).id == example["id"]
    assert client.post("/v1/triage", json=example).status_code == 200


def test_the_example_of_a_result_fits_the_contract(client: TestClient, document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["TriageResult"]
    answer = client.post("/v1/triage", json=TICKET).json()
    (example,) = schema["examples"]
    assert set(example) == set(schema["required"]) == set(answer)
    for head in load_taxonomy().heads:
        labels = example[head.name] if head.kind == "multi" else [example[head.name]]
        known = {label.code: label.zh for label in head.labels}
        assert [known[label["label"]] for label in labels] == [label["name"] for label in labels]
    (evidence,) = example["evidence"]
    assert TICKET["text"][evidence["start"] : evidence["end"]] == evidence["text"]


def test_examples_are_in_the_labels_that_are_served() -> None:
    labels = [{"code": code, "zh": code, "en": code} for code in ("low", "top")]
    kinds = {"urgency": "ordered", "topics": "multi", "motive": "single"}
    heads = [{"name": name, "kind": kind, "zh": name, "en": name, "labels": labels} for name, kind in kinds.items()]
    own = Taxonomy.model_validate({"name": "own", "version": "1", "heads": heads})
    wanted = {"urgency": "top", "topics": ["top"], "motive": "top"}
    schemas = components(own)
    assert schemas["Feedback"]["examples"] == [{"id": "T-1", "labels": wanted}]
    assert read_labels(wanted, own) == wanted
    (example,) = schemas["TriageResult"]["examples"]
    assert set(example) == set(schemas["TriageResult"]["required"])
    assert (example["urgency"]["label"], example["topics"][0]["label"], example["turns"]) == ("top", "top", [])


def test_no_page_unless_asked_for(client: TestClient) -> None:
    assert [client.get(path).status_code for path in ("/docs", "/redoc")] == [404, 404]


def test_the_page_needs_nothing_from_outside(make_client: MakeClient) -> None:
    answer = make_client(docs=True).get("/docs")
    assert answer.status_code == 200
    assert "净水器" in answer.text
    assert not re.search(r"https?://|<script|src=|@import", answer.text)
    assert "script" not in answer.headers["Content-Security-Policy"]

"""What a client can do wrong: the status, the problem document, and that nothing it sent comes back or is logged."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.api.conftest import WORDS, MakeClient

JSON = {"Content-Type": "application/json"}
TURN = {"speaker": "customer", "text": WORDS}
BAD_CASES: dict[str, tuple[Any, str]] = {
    "a string": (WORDS, "case: Input should be an object"),
    "a list": ([WORDS], "case: Input should be an object"),
    "null": (None, "case: Input should be an object"),
    "no words": ({"product": WORDS}, "either text or turns"),
    "text and turns": ({"text": WORDS, "turns": [TURN]}, "either text or turns"),
    "blank text": ({"text": " \u3000\n", "product": WORDS}, "the text is empty"),
    "no turns": ({"turns": [], "product": WORDS}, "the text is empty"),
    "text no string": ({"text": [WORDS]}, "text: Input should be a valid string"),
    "text too long": ({"text": WORDS * 12_501}, "at most 50000 characters"),
    "turns too many": ({"turns": [TURN] * 1_001}, "at most 1000 turns"),
    "turns no list": ({"turns": WORDS}, "turns: Input should be a valid array"),
    "unknown speaker": ({"turns": [{"speaker": WORDS, "text": "a"}]}, "turns.0.speaker: Input should be 'customer'"),
    "unknown key of a turn": ({"turns": [{**TURN, WORDS: 1}]}, "turns.0.(unknown field): Extra inputs"),
    "many problems": ({"turns": [{WORDS: 1}] * 9}, "and 22 more"),
    "id no string": ({"id": {WORDS: 1}, "text": "没人管"}, "id: Input should be a valid string"),
    "id too long": ({"id": WORDS * 51, "text": "没人管"}, "id: String should have at most 200"),
    "metadata too long": ({"region": WORDS * 51, "text": "没人管"}, "region: String should have at most 200"),
    "unknown channel": ({"text": "没人管", "channel": WORDS}, "channel: Input should be 'ticket'"),
    "no date": ({"text": "没人管", "created_at": WORDS}, "created_at: Input should be a valid datetime"),
    "no count": ({"text": "没人管", "prior_contacts": WORDS}, "prior_contacts: Input should be a valid integer"),
    "negative count": ({"text": WORDS, "prior_contacts": -1}, "prior_contacts: Input should be greater"),
    "garbled": ({"text": "锟斤拷" * 9 + WORDS}, "garbled"),
}
BAD_BODIES: dict[str, bytes] = {
    "empty": b"",
    "cut off": f'{{"text": "{WORDS}'.encode(),
    "more after it": f'{{"text": "a"}} {WORDS}'.encode(),
    "not JSON": WORDS.encode(),
    "not UTF-8": f'{{"text": "{WORDS}"}}'.encode("gb18030"),
    "UTF-16": f'{{"text": "{WORDS}"}}'.encode("utf-16"),
    "half a surrogate pair": b'{"text": "\\ud800"}',
    "NaN": f'{{"text": "{WORDS}", "prior_contacts": NaN}}'.encode(),
    "number without end": b'{"prior_contacts": ' + b"1" * 5_000 + b"}",
    "nested too deep": b"[" * 100_000,
}
BAD_BATCHES: dict[str, tuple[Any, str]] = {
    "a list": ([{"text": WORDS}], "case: Input should be an object"),
    "a case": ({"text": WORDS}, "cases: Field required"),
    "cases no list": ({"cases": {WORDS: WORDS}}, "cases: Input should be a valid array"),
    "too many": ({"cases": [{"text": WORDS}] * 101}, "cases: List should have at most 100 items"),
}


@pytest.fixture(autouse=True)
def no_echo(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    logged = "\n".join(logging.Formatter().format(record) for record in caplog.get_records("call"))
    assert "'status': " in logged
    assert WORDS not in logged
    assert json.dumps(WORDS)[1:-1] not in logged


def check(answer: Any, status: int, code: str, detail: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail", "code", "request_id"}
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert detail in problem["detail"]
    assert WORDS not in answer.text + str(answer.headers)
    assert "\\u7fe1" not in answer.text


@pytest.mark.parametrize("kind", BAD_CASES)
def test_bad_case(client: TestClient, kind: str) -> None:
    body, detail = BAD_CASES[kind]
    check(client.post("/v1/triage", content=json.dumps(body), headers=JSON), 422, "bad_input", detail)


@pytest.mark.parametrize("kind", BAD_CASES)
def test_bad_case_in_a_batch(client: TestClient, kind: str) -> None:
    body, detail = BAD_CASES[kind]
    answer = client.post("/v1/triage/batch", json={"cases": [body, {"id": "good", "text": "没人管"}]})
    assert answer.status_code == 200
    bad, good = answer.json()["results"]
    assert bad.keys() == {"id", "error"}
    assert (bad["id"], bad["error"]["code"]) == ("", "bad_input")
    assert detail in bad["error"]["detail"]
    assert good["complaint_type"]["label"] == "service"
    assert WORDS not in answer.text


@pytest.mark.parametrize("path", ["/v1/triage", "/v1/triage/batch"])
@pytest.mark.parametrize("kind", BAD_BODIES)
def test_bad_body(client: TestClient, path: str, kind: str) -> None:
    answer = client.post(path, content=BAD_BODIES[kind], headers=JSON)
    check(answer, 422, "bad_input", "the body is not JSON in UTF-8")


@pytest.mark.parametrize("kind", BAD_BATCHES)
def test_bad_batch(client: TestClient, kind: str) -> None:
    body, detail = BAD_BATCHES[kind]
    check(client.post("/v1/triage/batch", json=body), 422, "bad_input", detail)


def test_media_type(client: TestClient) -> None:
    answer = client.post("/v1/triage", data={"text": WORDS})
    check(answer, 422, "bad_input", "Content-Type must be application/json")


LARGE = json.dumps({"text": WORDS * 100}).encode()


@pytest.mark.parametrize("path", ["/v1/triage", "/v1/triage/batch"])
@pytest.mark.parametrize("chunked", [False, True])
def test_too_large(make_client: MakeClient, path: str, chunked: bool) -> None:
    body = iter([LARGE[:500], LARGE[500:900], LARGE[900:]]) if chunked else LARGE
    answer = make_client(max_body_bytes=1_000).post(path, content=body, headers=JSON)
    check(answer, 413, "too_large", "at most 1000 bytes")


@pytest.mark.parametrize("length", ["0", "-1", "x" + WORDS, "9" * 5_000, "+5"])
def test_a_false_length_gets_around_nothing(make_client: MakeClient, length: str) -> None:
    headers = {**JSON, "Content-Length": length.encode()}
    answer = make_client(max_body_bytes=1_000).post("/v1/triage", content=LARGE, headers=headers)
    check(answer, 413, "too_large")


def test_a_body_at_the_limit_passes(make_client: MakeClient) -> None:
    body = b'{"text": "help"}'.ljust(1_000)
    assert make_client(max_body_bytes=1_000).post("/v1/triage", content=body, headers=JSON).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/v1/{WORDS}?q={WORDS}", 404, "not_found"),
        ("GET", f"/v1/triage?{WORDS}", 405, "method_not_allowed"),
        ("POST", "/v1/triage/", 404, "not_found"),
        ("DELETE", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_nothing_there(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    check(client.request(method, path), status, code)


def test_a_failed_stage_is_a_problem(client: TestClient) -> None:
    check(client.post("/v1/triage", json={"text": f"boom{WORDS}"}), 500, "stage_failed", "stage 'encode' failed")


def test_a_crash_is_a_problem(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    check(client.post("/v1/triage", json={"text": f"crash{WORDS}"}), 500, "stage_failed", "RuntimeError")
    assert "'error': 'RuntimeError'" in caplog.text


def test_what_no_handler_knows(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Routes to come: their mistakes are answered the same way."""
    app = client.app
    assert isinstance(app, FastAPI)

    @app.get("/broken")
    async def broken() -> None:
        raise ValueError(WORDS)

    @app.get("/typed")
    async def typed(n: int) -> int:
        return n

    check(client.get("/broken"), 500, "internal_error")
    assert "'error': 'ValueError', 'place': 'test_bad_input.py:" in caplog.text
    check(client.get(f"/typed?n={WORDS}"), 422, "bad_input", "query.(unknown field): Input should be")

"""The client against the service itself, and its patience against a service that refuses."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from fastapi.testclient import TestClient

from api.client import Client, ServiceError, read_result
from tests.api.conftest import KEY
from tests.fakes import FakeTriager
from triage.case import Case
from triage.result import RowError
from triage.taxonomy import load_taxonomy

FAKE = FakeTriager(load_taxonomy())
TEXT = "没人管，再不处理就打12315"


class Script(httpx2.BaseTransport):
    """Gives prepared answers, then good ones; remembers what was asked."""

    def __init__(self, *answers: httpx2.Response | Exception):
        self._answers = list(answers)
        self.asked: list[httpx2.Request] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self._answers.pop(0) if self._answers else httpx2.Response(200, json=FAKE(TEXT).to_dict())
        if isinstance(answer, Exception):
            raise answer
        return answer


def refusal(status: int, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json={"code": "c", "detail": "d"}, headers=headers)


@pytest.fixture
def remote(client: TestClient) -> Iterator[Client]:
    """A client whose requests go to the service in this process."""

    def pass_on(request: httpx2.Request) -> httpx2.Response:
        given = client.request(request.method, request.url.path, headers=dict(request.headers), content=request.read())
        return httpx2.Response(given.status_code, content=given.content)

    with Client("http://service", KEY, transport=httpx2.MockTransport(pass_on)) as made:
        yield made


def test_a_result_survives_the_way_through_json() -> None:
    result = FAKE(TEXT)
    assert read_result(result.to_dict()).to_dict() == result.to_dict()


def test_triage(remote: Client) -> None:
    result = remote.triage(Case(id="T-1", text=TEXT))
    assert (result.id, result.risk_tier.label, result.handling.owner) == ("T-1", 3, "投诉专席")
    assert result.evidence[-1].source == "model"


def test_more_than_a_batch_in_order(remote: Client) -> None:
    cases = [Case(id=str(n), text="boom" if n == 150 else TEXT) for n in range(230)]
    answers = remote.triage_all(cases)
    assert [answer.id for answer in answers] == [case.id for case in cases]
    assert [answer.id for answer in answers if isinstance(answer, RowError)] == ["150"]


@pytest.mark.parametrize(
    ("answers", "waits"),
    [
        ([refusal(503, **{"Retry-After": "7"})], [7]),
        ([refusal(429, **{"Retry-After": "2"}), refusal(503)], [2, 1.0]),
        ([httpx2.ConnectError("refused"), httpx2.ReadError("reset")], [0.5, 1.0]),
        ([refusal(502, **{"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})], [0.5]),
    ],
)
def test_waits_as_told_and_tries_again(answers: list[httpx2.Response | Exception], waits: list[float]) -> None:
    slept: list[float] = []
    script = Script(*answers)
    result = Client("http://s", KEY, transport=script, sleep=slept.append).triage(TEXT, idempotency_key="k-1")
    assert result.risk_tier.label == 3
    assert slept == waits
    assert {request.headers["Idempotency-Key"] for request in script.asked} == {"k-1"}


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (refusal(422), 422, "c"),
        (refusal(401), 401, "c"),
        (refusal(503, **{"Retry-After": "61"}), 503, "c"),
        (httpx2.Response(500, text="<html>"), 500, "unknown"),
    ],
)
def test_gives_up(answer: httpx2.Response, status: int, code: str) -> None:
    script = Script(answer)
    with pytest.raises(ServiceError) as failure:
        Client("http://s", KEY, transport=script, sleep=lambda _: None).triage(TEXT)
    assert (failure.value.status, failure.value.code) == (status, code)
    assert len(script.asked) == 1
    assert TEXT not in str(failure.value)


def test_patience_ends() -> None:
    slept: list[float] = []
    script = Script(*(refusal(503, **{"Retry-After": "20"}) for _ in range(9)))
    with pytest.raises(ServiceError):
        Client("http://s", KEY, transport=script, sleep=slept.append).triage(TEXT)
    assert slept == [20, 20, 20]

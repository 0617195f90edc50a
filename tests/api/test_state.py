"""Readiness, versions, request ids, headers, and what the log tells."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import MakeClient
from tests.fakes import GatedTriager
from triage.result import RowError
from triage.taxonomy import load_taxonomy


def test_ready_when_the_self_test_was_answered(make_client: MakeClient, triager: GatedTriager) -> None:
    triager.gate.clear()
    client = make_client()
    assert client.get("/healthz").json() == {"status": "ok"}
    waiting = client.get("/readyz")
    assert (waiting.status_code, waiting.json()["code"]) == (503, "not_ready")
    assert waiting.headers["Retry-After"] == "1"
    triager.gate.set()
    for _ in range(500):
        if client.get("/readyz").status_code == 200:
            break
        time.sleep(0.01)
    assert client.get("/readyz").json() == {"status": "ready"}


def test_not_ready_when_the_self_test_failed(
    make_client: MakeClient, triager: GatedTriager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triager, "pipe", lambda cases, _size: (RowError(case.id, "x", "y") for case in cases))
    client = make_client()
    time.sleep(0.2)
    assert client.get("/readyz").status_code == 503


def test_not_ready_after_shutdown(make_client: MakeClient) -> None:
    client = make_client()
    service = client.app.state.service  # type: ignore[attr-defined]
    client.portal.call(service.close)  # type: ignore[union-attr]
    assert client.get("/readyz").status_code == 503
    refused = client.post("/v1/triage", json={"text": "没人管"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")


def test_a_figure_that_could_not_be_computed(client: TestClient, triager: GatedTriager) -> None:
    triager.info["metrics"] = {"dev": [0.5, float("nan")]}
    assert client.get("/v1/model").json()["metrics"] == {"dev": [0.5, None]}


def test_model_and_taxonomy(client: TestClient) -> None:
    model = client.get("/v1/model").json()
    assert (model["name"], model["version"], model["taxonomy"], model["policy"]) == (
        "fake",
        "0.1",
        "complaints-1",
        "default-1",
    )
    assert client.get("/v1/taxonomy").json() == load_taxonomy().model_dump(mode="json")


@pytest.mark.parametrize("given", ["abc", "a.b_c-1", "7" * 64])
def test_a_sane_request_id_is_kept(client: TestClient, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "7" * 65, "-x", "é", 'a"b', "{}"])
def test_another_request_id_is_replaced(client: TestClient, given: str) -> None:
    first, second = (
        client.get("/healthz", headers={"X-Request-ID": given.encode()}).headers["X-Request-ID"] for _ in range(2)
    )
    assert len(first) == 32
    assert first != second


@pytest.mark.parametrize("path", ["/healthz", "/v1/model", "/none", "/openapi.json"])
def test_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path, headers={"Origin": "https://example.com"}).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Access-Control-Allow-Origin" not in headers


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    found = [record.msg for record in caplog.records if record.name == "api.envelope"]
    return [line for line in found if isinstance(line, dict)]


def test_log_has_ids_timing_status_and_labels(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    cases = [{"id": "张三", "text": "没人管12315"}, {"text": "没人管"}, {"text": ""}]
    client.post("/v1/triage/batch?q=张三", json={"cases": cases}, headers={"X-Request-ID": "r-1"})
    (line,) = lines(caplog)
    assert (line["id"], line["method"], line["route"], line["status"]) == ("r-1", "POST", "/v1/triage/batch", 200)
    assert line["ms"] > 0
    assert (line["cases"], line["failed"]) == (3, 1)
    assert line["labels"]["risk_tier"] == {"3": 1, "1": 1}
    assert "张三" not in caplog.text
    assert "没人管" not in caplog.text


def test_log_has_no_path_that_is_not_a_route(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    client.request("SECRET", "/secret")
    (line,) = lines(caplog)
    assert (line["method"], line["route"], line["status"]) == (None, None, 404)


def test_no_database_is_imported_before_there_is_a_store() -> None:
    ask = "import sys, api.app; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", ask], check=False).returncode == 0  # noqa: S603

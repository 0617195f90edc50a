"""What Prometheus reads: counts of requests and answers, and drift against the profile of the model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api import drift
from api.metrics import Metrics
from api.reload import SELF_TEST
from tests.fakes import FakeTriager, GatedTriager
from triage.taxonomy import load_taxonomy

FAKE = FakeTriager(load_taxonomy())
SEVERE, PLAIN = "再不处理就打12315", "请问话费怎么查"


def values(page: str) -> dict[tuple[str, ...], float]:
    """Every sample: its name and the values of its labels (by the names of those), to its value."""
    samples = [one for family in text_string_to_metric_families(page) for one in family.samples]
    return {(one.name, *(value for _, value in sorted(one.labels.items()))): one.value for one in samples}


def counted(texts: Iterable[str], profile: dict[str, Any] | None) -> dict[tuple[str, ...], float]:
    metrics = Metrics()
    metrics.answered([FAKE(text) for text in texts])
    return values(metrics.render({"metrics": {"profile": profile} if profile else {}}).decode())


def test_requests_and_answers(client: TestClient) -> None:
    client.post("/v1/triage", json={"text": SEVERE})
    client.post("/v1/triage/batch", json={"cases": [{"text": PLAIN}, {"text": "boom"}]})
    client.get("/v1/翡翠")
    page = client.get("/metrics")
    assert page.headers["Content-Type"].startswith("text/plain")
    found = values(page.text)
    expected = {
        ("triage_requests_total", "POST", "/v1/triage", "200"): 1,
        ("triage_requests_total", "POST", "/v1/triage/batch", "200"): 1,
        ("triage_requests_total", "GET", "none", "404"): 1,
        ("triage_request_seconds_count", "/v1/triage"): 1,
        ("triage_stage_seconds_count", "queue"): 3 + len(SELF_TEST),
        ("triage_batch_cases_sum",): 3 + len(SELF_TEST),
        ("triage_queue_characters",): 0,
        ("triage_labels_total", "risk_tier", "3"): 1,
        ("triage_labels_total", "risk_tier", "0"): 1,
        ("triage_failed_cases_total", "stage_failed"): 1,
        ("triage_score_count", "risk_tier"): 2,
        ("triage_unknown_words_count",): 2,
        ("triage_model", "", "fake", "default-1", "complaints-1", "0.1"): 1,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert "翡翠" not in page.text


def test_a_key_is_needed(client: TestClient) -> None:
    client.headers.pop("Authorization")
    assert client.get("/metrics").status_code == 401


PROFILE = {"cases": 10, "labels": {"risk_tier": {"0": 0.9, "3": 0.1}, "motive": {}}, "unknown_words": 0.25}


@pytest.mark.parametrize(("severe", "drifted"), [(20, 0.1), (10, 0.0), (60, 0.5)])
def test_drift_is_the_largest_change_of_a_share(severe: int, drifted: float) -> None:
    texts = [SEVERE] * severe + [PLAIN] * (100 - severe)
    found = counted(texts, PROFILE)
    assert found["triage_label_drift", "risk_tier"] == pytest.approx(drifted)
    assert found["triage_unknown_words_drift",] == -0.25


@pytest.mark.parametrize(("cases", "profile"), [(100, None), (99, PROFILE)])
def test_no_drift_without_a_profile_or_enough_cases(cases: int, profile: dict[str, Any] | None) -> None:
    assert not [key for key in counted([PLAIN] * cases, profile) if "drift" in key[0]]


def test_only_recent_cases_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "RECENT", 120)
    found = counted([SEVERE] * 200 + [PLAIN] * 120, PROFILE)
    assert found["triage_recent_cases",] == 120
    assert found["triage_label_drift", "risk_tier"] == pytest.approx(0.1)
    assert found["triage_labels_total", "risk_tier", "3"] == 200


def test_stages_of_the_pipeline_are_timed(client: TestClient, triager: GatedTriager) -> None:
    from triage.stage import stage

    pipe = triager.pipe
    triager.pipe = lambda cases, size=64: stage("prepare", lambda: pipe(cases, size))  # type: ignore[method-assign]
    client.post("/v1/triage", json={"text": PLAIN})
    assert values(client.get("/metrics").text)["triage_stage_seconds_count", "prepare"] >= 1

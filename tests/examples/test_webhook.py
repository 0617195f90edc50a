"""The webhook adapter: fields by the mapping, signatures, and what it says when the service refuses."""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from api.client import Client
from tests.fakes import FakeTriager
from triage.case import Case
from triage.settings_file import load_settings
from triage.taxonomy import load_taxonomy

SECRET = "secret-of-the-webhook"  # noqa: S105
TICKET = {
    "number": "T-7",
    "description": "没人管，再不处理就打12315",
    "fields": {"product": "净水器", "region": None},
    "requester": {"id": "C-9"},
    "created_at": "2026-01-05T09:30:00+08:00",
}


@pytest.fixture(scope="module")
def adapter(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("adapter", root / "examples" / "webhook" / "adapter.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Service:
    """Stands where the service is; remembers what it was sent."""

    def __init__(self, status: int = 200):
        self.status = status
        self.sent: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        if self.status != 200:
            return httpx2.Response(self.status, json={"code": "no", "detail": "no"})
        case = Case.read(json.loads(request.content))
        return httpx2.Response(200, json=FakeTriager(load_taxonomy())(case).to_dict())


def deliver(adapter: Any, root: Path, service: Service, body: bytes, signature: str | None = None) -> httpx2.Response:
    mapping = load_settings(root / "examples" / "webhook" / "mapping.yaml", adapter.Mapping)
    client = Client(mapping.service, "key", transport=httpx2.MockTransport(service), patience=0)
    signed = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {mapping.header: (signed if signature is None else signature).encode("latin-1")}
    app = adapter.create_adapter(mapping, SECRET, client)
    answer: httpx2.Response = TestClient(app).post("/webhook", content=body, headers=headers)
    return answer


def test_fields_are_mapped(adapter: ModuleType, root: Path) -> None:
    service = Service()
    body = json.dumps({"ticket": TICKET}).encode()
    answers = [deliver(adapter, root, service, body) for _ in range(2)]
    assert answers[0].json() == {
        "priority": 3,
        "category": "服务类",
        "tags": ["attitude", "process", "delay"],
        "escalation": "high",
        "owner": "投诉专席",
        "respond_within_minutes": 30,
        "actions": ["先致歉", "专人跟进"],
        "needs_review": False,
    }
    sent = json.loads(service.sent[0].content)
    assert sent == {
        "id": "T-7",
        "text": TICKET["description"],
        "product": "净水器",
        "customer_key": "C-9",
        "created_at": "2026-01-05T09:30:00+08:00",
    }
    assert len({one.headers["Idempotency-Key"] for one in service.sent}) == 1


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=00", "é", hashlib.sha256(b"{}").hexdigest()])
def test_unsigned_is_refused(adapter: ModuleType, root: Path, signature: str) -> None:
    service = Service()
    answer = deliver(adapter, root, service, b"{}", signature)
    assert answer.status_code == 401
    assert service.sent == []


@pytest.mark.parametrize(
    ("body", "status"), [(b"no", 422), (b"{}", 422), (b"[]", 422), (b'{"ticket": {"description": ""}}', 422)]
)
def test_what_is_no_ticket_is_refused(adapter: ModuleType, root: Path, body: bytes, status: int) -> None:
    assert deliver(adapter, root, Service(), body).status_code == status


@pytest.mark.parametrize("status", [401, 422, 503])
def test_a_refusal_of_the_service_is_told(adapter: ModuleType, root: Path, status: int) -> None:
    answer = deliver(adapter, root, Service(status), json.dumps({"ticket": TICKET}).encode())
    assert (answer.status_code, answer.json()) == (502, {"detail": f"triage answered {status} no"})
    assert "没人管" not in answer.text

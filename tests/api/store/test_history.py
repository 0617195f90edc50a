"""Earlier contacts of a customer, with the shipped model and policy: what they change, and whom they do not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ServiceSettings
from tests.api.store.conftest import listed, using
from triage.triager import Triager

ABOUT = "我对你们的处理结果不满意，我要找你们领导。"
ABUSE = "喂美女你结婚了没有，聊聊天嘛"
SUGGESTION = "多次无效来电"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
def client(shipped: Triager, store_settings: dict[str, Any]) -> Iterator[TestClient]:
    with ExitStack() as stack:
        yield using(
            stack.enter_context(TestClient(create_app(shipped, ServiceSettings.model_validate(store_settings)))),
            "ticket",
        )


def send(client: TestClient, text: str = ABOUT, **case: Any) -> dict[str, Any]:
    answer = client.post("/v1/triage", json={"text": text, **case})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def prior(client: TestClient) -> int | None:
    """What was known when the latest contact was triaged."""
    found: int | None = listed(client)[0]["case"].get("prior_contacts")
    return found


def days_ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def test_the_third_contact_escalates(client: TestClient) -> None:
    text = "上次说给我退款，到现在也没人联系我。"
    answers = [send(client, text, customer_key="C-1") for _ in range(3)]
    assert ["prior_contacts" in answer["escalation"]["reasons"] for answer in answers] == [False, False, True]
    assert [answer["escalation"]["label"] for answer in answers] == ["medium", "medium", "high"]
    assert send(client, text, customer_key="C-2")["escalation"] == answers[0]["escalation"]


WINDOW = [
    ("none before", {}, [], 0),
    ("within 30 days", {}, [{"created_at": days_ago(29.9)}, {"created_at": days_ago(1)}], 2),
    ("before that", {}, [{"created_at": days_ago(30.1)}], 0),
    ("later ones do not count", {}, [{"created_at": days_ago(-1)}], 0),
    ("another customer", {}, [{"customer_key": "C-2", "created_at": days_ago(1)}], 0),
    ("without a customer", {}, [{"customer_key": None, "created_at": days_ago(1)}], 0),
    ("one contact sent twice", {}, [{"id": "a", "created_at": days_ago(2)}, {"id": "a", "created_at": days_ago(1)}], 1),
    ("this contact sent before", {"id": "a"}, [{"id": "a", "created_at": days_ago(1)}], 0),
    ("the caller knows of more", {"prior_contacts": 7}, [{"created_at": days_ago(1)}], 7),
    ("the caller knows of fewer", {"prior_contacts": 0}, [{"created_at": days_ago(1)}], 1),
]


def test_what_counts(client: TestClient) -> None:
    for number, (kind, case, earlier, count) in enumerate(WINDOW):

        def renamed(one: dict[str, Any], number: int = number) -> dict[str, Any]:
            given = {"customer_key": "C-1", **one}
            key = given["customer_key"] and f"{given['customer_key']}/{number}"
            ids = {"id": f"{one['id']}/{number}"} if "id" in one else {}
            return {**given, **ids, "customer_key": key}

        for one in earlier:
            send(client, **renamed(one))
        send(client, **renamed({"created_at": NOW.isoformat(), **case}))
        assert prior(client) == count, kind


def test_without_a_customer_key_nothing_is_known(client: TestClient) -> None:
    send(client)
    send(client)
    assert prior(client) is None


def test_many_contacts_without_value_bring_a_suggestion_and_never_a_block(client: TestClient) -> None:
    answers = [send(client, ABUSE, customer_key="C-1") for _ in range(3)]
    assert {answer["contact_class"]["label"] for answer in answers} == {"no_value"}
    assert [any(SUGGESTION in action for action in answer["handling"]["actions"]) for answer in answers] == [
        False,
        False,
        True,
    ]
    serious = send(client, ABOUT, customer_key="C-1")
    assert not any(SUGGESTION in action for action in serious["handling"]["actions"])


def test_contacts_without_value_long_ago_do_not_count(client: TestClient) -> None:
    for days in (3, 2):
        send(client, ABUSE, customer_key="C-1", created_at=days_ago(days))
    answer = send(client, ABUSE, customer_key="C-1", created_at=NOW.isoformat())
    assert not any(SUGGESTION in action for action in answer["handling"]["actions"])
    assert prior(client) == 2

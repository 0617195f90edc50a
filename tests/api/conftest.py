"""A service on the fake triager."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ServiceSettings
from tests.api.serving import KEY, free_address
from tests.fakes import GatedTriager
from triage.taxonomy import load_taxonomy

WORDS = "翡翠秘密"  # in every bad request; must come back from nowhere
MakeClient = Callable[..., TestClient]


@pytest.fixture
def triager() -> Iterator[GatedTriager]:
    gated = GatedTriager(load_taxonomy())
    yield gated
    gated.gate.set()


@pytest.fixture
def make_client(triager: GatedTriager, caplog: pytest.LogCaptureFixture) -> Iterator[MakeClient]:
    """A running service with the settings given, and a client that has the key."""
    caplog.set_level(logging.WARNING, "httpx2")  # the client's own log
    caplog.set_level(logging.DEBUG)  # last, for it sets the handler too
    with ExitStack() as stack:

        def make(**settings: Any) -> TestClient:
            app = create_app(triager, ServiceSettings.model_validate({"api_keys": f"other,{KEY}", **settings}))
            client = TestClient(app, headers={"Authorization": f"Bearer {KEY}"})
            stack.callback(triager.gate.set)
            return stack.enter_context(client)

        yield make
        triager.gate.set()


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client()


@pytest.fixture
def address() -> str:
    """Where a server can listen."""
    return free_address()

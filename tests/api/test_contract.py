"""The OpenAPI document holds: thousands of generated requests, good and bad, and every check that schemathesis has."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from api.app import create_app
from api.settings import ServiceSettings
from tests.api.serving import HEADERS, KEY
from tests.fakes import FakeTriager
from triage.taxonomy import load_taxonomy

CASES = 2_000
EXAMPLES = {False: 5, True: 205}  # for what takes nothing, and for what takes a body or parameters
BEYOND_SCHEMA = (
    "the text looks garbled",
    "at most 50000 characters",
    "at least one label is needed",
)  # rules that JSON Schema cannot say
_SOUND_KEY = re.compile(r"[\x21-\x7e]{1,200}")
tried: Counter[str] = Counter()
_STORE = {"secret": "a-secret-of-thirty-two-characters!", "api_keys": f"all:triage+review+admin:{KEY}"}


def application(store: Path) -> FastAPI:
    given = {**_STORE, "database_url": f"sqlite:///{store}"}
    return create_app(FakeTriager(load_taxonomy()), ServiceSettings.model_validate(given))


def operations(document: dict[str, Any]) -> dict[str, bool]:
    """The operations of a document, and whether they take anything."""
    return {
        f"{method.upper()} {path}": bool({"requestBody", "parameters"} & operation.keys())
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


OPERATIONS = operations(create_app(FakeTriager(load_taxonomy()), ServiceSettings(auth=False)).openapi())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a running server with a store shows its document."""
    store: Path = tmp_path_factory.mktemp("contract") / "store.sqlite"
    config = uvicorn.Config(application(store), port=0, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/openapi.json"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("label", OPERATIONS)
@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_documented(served: str, label: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(served)
    good = mode is GenerationMode.POSITIVE
    if not good:  # what is wrong is to be something else than the key
        schema.config.update(headers=HEADERS)
    operation = schema.find_operation_by_label(label)
    assert operation is not None
    if not good and not OPERATIONS[label]:
        pytest.skip("nothing is sent, so nothing can be wrong")

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES[bool(OPERATIONS[label])],
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        tried[label] += 1
        used = case.headers.get("Idempotency-Key", "")
        if _SOUND_KEY.fullmatch(used):  # one that was used for another body is refused, and rightly so
            case.headers["Idempotency-Key"] = f"{used[:190]}-{tried.total()}"
        answer = case.call(headers=HEADERS if good else None)
        beyond = answer.status_code == 422 and any(rule in answer.json()["detail"] for rule in BEYOND_SCHEMA)
        left_out = [*([positive_data_acceptance] if beyond else []), *([] if good else [ignored_auth])]
        if label.startswith("GET"):  # a query is text: what is wrong by its type alone, `3` for `["3"]`, reads as right
            left_out.append(negative_data_rejection)
        case.validate_response(answer, excluded_checks=left_out)

    check()


def test_there_were_enough() -> None:
    if tried:  # not when this test runs alone
        assert sum(tried.values()) >= CASES

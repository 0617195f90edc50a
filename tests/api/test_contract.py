"""The OpenAPI document holds: thousands of generated requests, good and bad, and every check that schemathesis has."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from api.app import create_app
from api.settings import ServiceSettings
from tests.fakes import FakeTriager
from triage.taxonomy import load_taxonomy

KEY = "key-of-the-ticket-system"
CASES = 2_000
_OPERATIONS = 12
_DATABASE = Path(mkdtemp(prefix="triage-contract-")) / "store.sqlite"
_SETTINGS = ServiceSettings.model_validate(
    {
        "api_keys": f"all:triage+review+admin:{KEY}",
        "database_url": f"sqlite:///{_DATABASE}",
        "secret": "a-secret-of-thirty-two-characters!",
    }
)
app = create_app(FakeTriager(load_taxonomy()), _SETTINGS)
schema = schemathesis.openapi.from_asgi("/openapi.json", app)
_SOUND_KEY = re.compile(r"[\x21-\x7e]{1,200}")
tried: Counter[str] = Counter()


@pytest.mark.filterwarnings("ignore")
@schema.parametrize()
@settings(
    max_examples=CASES // _OPERATIONS + 40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_documented(case: schemathesis.Case) -> None:
    tried[case.operation.label] += 1
    used = case.headers.get("Idempotency-Key", "")
    if _SOUND_KEY.fullmatch(used):  # one that was used for another body is refused, and rightly so
        case.headers["Idempotency-Key"] = f"{used[:190]}-{tried.total()}"
    case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"})


def test_there_were_enough() -> None:
    if tried:  # not when this test runs alone
        assert sum(tried.values()) >= CASES

"""What these tests share."""

from __future__ import annotations

import pytest

from tests.fakes import FakeTriager
from triage.taxonomy import load_taxonomy


@pytest.fixture(scope="session")
def fake_triager() -> FakeTriager:
    return FakeTriager(load_taxonomy())

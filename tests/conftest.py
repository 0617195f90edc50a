from pathlib import Path

import pytest

from triage.triager import Triager

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shipped() -> Triager:
    """The pipeline with the shipped model."""
    return Triager.load(ROOT / "models" / "default", threads=1)

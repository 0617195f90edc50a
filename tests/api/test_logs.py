"""The log of a process: JSON lines, and never a word of what an exception or a library says."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from api import logs

WORDS = "翡翠秘密13800138000"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What was written so far."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", stream)
    logs.write_json_lines()
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)


def test_events_have_their_fields(lines: Any) -> None:
    logs.get_logger("api.test").info("request", id="r-1", labels={"risk_tier": {"3": 1}}, name_zh="投诉")
    (line,) = lines()
    assert {
        "event": "request",
        "id": "r-1",
        "level": "info",
        "logger": "api.test",
        "name_zh": "投诉",
    }.items() <= line.items()
    assert line["time"].endswith("Z")


def test_an_exception_is_its_kind_and_place(lines: Any) -> None:
    try:
        raise ValueError(WORDS)
    except ValueError:
        logging.getLogger("library").exception("it failed\nand here is more: %s", WORDS)
        logs.get_logger("api.test").exception("it failed")
    for line in lines():
        assert (line["event"], line["error"]) == ("it failed", "ValueError")
        assert line["place"].startswith("test_logs.py:")
    assert WORDS not in str(lines())


def test_a_task_that_nobody_waited_for(lines: Any) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "lost", "exception": ValueError(WORDS), "future": WORDS})

    asyncio.run(scene())
    (line,) = lines()
    assert (line["event"], line["error"]) == ("lost", "ValueError")
    assert WORDS not in str(line)

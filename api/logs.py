"""Logs as JSON lines. An exception is told by its kind and its place: its message may hold words of a contact."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.types import EventDict, Processor

_FRAMES = 8
_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", key="time"),
]


def get_logger(name: str) -> BoundLogger:
    """A logger of events with fields, for the module `name`."""
    processors = [structlog.stdlib.filter_by_level, *_SHARED, ProcessorFormatter.wrap_for_formatter]
    return cast(BoundLogger, structlog.wrap_logger(logging.getLogger(name), processors, BoundLogger))


def write_json_lines() -> None:
    """From now on this process writes every record, its libraries' too, as a line of JSON to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                _wordless,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of its plugins at every start


def place(trace: TracebackType | None) -> str:
    """Files and lines of a traceback, innermost first."""
    frames = reversed(traceback.extract_tb(trace)[-_FRAMES:])
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)


def _wordless(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Without the message of an exception, and of what a library says only the first line."""
    if failure := event.pop("exc_info", None):
        kind, _, trace = failure
        event.update(error=kind.__name__, place=place(trace))
    event["event"] = str(event["event"]).partition("\n")[0]
    return event

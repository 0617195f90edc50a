"""One stage of the pipeline: its failure names it, and whoever watches is told how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from triage.errors import StageError, TriageError

Result = TypeVar("Result")
Watch = Callable[[str, float], None]
_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Within the block, `watch` gets the name and the seconds of every stage that this thread runs."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


def stage(name: str, work: Callable[[], Result]) -> Result:
    """Run one stage; anything unexpected becomes a StageError that names it."""
    started = time.perf_counter()
    try:
        return work()
    except TriageError:
        raise
    except Exception as error:
        raise StageError(name, error) from error
    finally:
        if watch := _watch.get():
            watch(name, time.perf_counter() - started)

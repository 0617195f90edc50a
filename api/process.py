"""What the operating system tells a serving process: leave, take another model, the parent is gone."""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def listening(leave: Callable[[], None], reload: Callable[[], object], drain_seconds: float) -> Iterator[None]:
    """SIGTERM calls `leave`, and what handled it before (the server's stop) follows `drain_seconds` later.

    SIGHUP calls `reload`. Outside the main thread, where signals cannot be heard, nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    stop: Any = signal.getsignal(signal.SIGTERM)

    def leaving() -> None:
        leave()
        loop.call_later(drain_seconds, stop, signal.SIGTERM, None)

    loop.add_signal_handler(signal.SIGTERM, leaving)
    loop.add_signal_handler(signal.SIGHUP, reload)
    _leave_with_parent()
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        loop.remove_signal_handler(signal.SIGTERM)


def give_back_memory() -> None:
    """What loading a model left over goes back to the operating system, where the C library is glibc."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _leave_with_parent() -> None:
    """A worker whose parent was killed leaves too, and does not keep the port."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True, name="follow-parent").start()

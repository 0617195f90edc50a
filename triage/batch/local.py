"""The engine of one machine: this process for a single shard, else a worker process for each core.

A worker runs the network on one thread: more of them give more answers a second than threads that wait for each other.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait

from triage.batch.journal import Journal
from triage.batch.rows import Row
from triage.batch.shards import Answered, CaseTriager, Loader, Shard, Shards, answer_shard
from triage.cores import cores
from triage.errors import EngineError

_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Local:
    """`triager` answers in this process; `load` makes another one in each of `workers` processes."""

    triager: CaseTriager
    load: Loader | None = None
    workers: int = 0

    def __call__(self, shards: Shards, journal: Journal) -> Generator[Answered]:
        stream = iter(shards)
        first = list(islice(stream, 2))
        workers = self.workers or cores()
        if self.load is None or len(first) < 2:
            for shard in chain(first, stream):
                if not journal.has(shard.number):
                    answer_shard(self.triager, shard.number, shard.rows, shards.batch_size, journal)
                yield shard, journal.answers(shard.number)
        else:
            yield from _shared(chain(first, stream), shards.batch_size, journal, self.load, workers)


def _shared(
    shards: Iterable[Shard], batch_size: int, journal: Journal, load: Loader, workers: int
) -> Generator[Answered]:
    """Shards through worker processes; so many at a time that memory is bounded and nobody waits."""
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (load, journal, batch_size))
    ahead: deque[tuple[Shard, Future[None] | None]] = deque()
    try:
        for shard in shards:
            done = journal.has(shard.number)
            with _interrupt_key_held():
                ahead.append((shard, None if done else pool.submit(_work, shard.number, shard.rows)))
            if len(ahead) > workers * _AHEAD:
                yield _finished(*ahead.popleft(), journal)
        while ahead:
            yield _finished(*ahead.popleft(), journal)
    except BrokenProcessPool:
        raise EngineError(
            "a worker process ended before its work was done (out of memory?); what was done is kept: add --resume"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupt_key_held() -> Iterator[None]:
    """The interrupt key waits until the end of the block; a process begun in it never hears it, even while starting."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _finished(shard: Shard, work: Future[None] | None, journal: Journal) -> Answered:
    if work is not None:
        work.result()
    return shard, journal.answers(shard.number)


class _Worker:
    """What a worker process keeps between shards."""

    triager: CaseTriager
    journal: Journal
    batch_size: int


def _start(load: Loader, journal: Journal, batch_size: int) -> None:
    """Begin a worker process; it ends with its parent."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Worker.triager, _Worker.journal, _Worker.batch_size = load(), journal, batch_size


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _work(number: int, rows: Sequence[Row]) -> None:
    answer_shard(_Worker.triager, number, rows, _Worker.batch_size, _Worker.journal)

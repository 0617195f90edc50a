"""Micro-batching: requests wait in a bounded queue, and whatever waits is triaged together, off the event loop.

Nothing is delayed to fill a batch: while one call of the model runs, the next one gathers. All state belongs to the
event loop; only `work` runs in the one worker thread.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from api.metrics import Metrics
from api.settings import ServiceSettings
from triage.case import Case
from triage.result import RowError, TriageResult

Answer = TriageResult | RowError
Work = Callable[[Sequence[Case]], list[Answer]]
_CASE_CHARACTERS = 50  # what a case costs beside its words
_FIRST_RATE = 10_000.0  # characters a second, until calls were measured
_LONGEST_RETRY = 60


class Overloaded(Exception):
    """The request was not answered and may be sent again after `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: int):
        super().__init__(f"{reason}; retry after {retry_after} s")
        self.retry_after = retry_after


@dataclass(slots=True, eq=False)
class _Group:
    """The cases of one request: those that wait, and the answers so far."""

    size: int
    waiting: deque[tuple[int, Case]]
    done: asyncio.Future[list[Answer]]
    since: float
    answers: dict[int, Answer] = field(default_factory=dict)

    @property
    def size_waiting(self) -> int:
        """Characters that wait."""
        return sum(_size(case) for _, case in self.waiting)

    def settle(self, index: int, answer: Answer) -> None:
        """Keep one answer; with the last one the request is done."""
        self.answers[index] = answer
        if len(self.answers) == self.size and not self.done.done():
            self.done.set_result([self.answers[place] for place in range(self.size)])


class Batcher:
    """Joins the cases of waiting requests. `work` returns one answer a case, in order, and does not raise."""

    def __init__(self, work: Work, settings: ServiceSettings, metrics: Metrics):
        self._work = work
        self._metrics = metrics
        self._settings = settings
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="triage")
        self._queue: deque[_Group] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._load = 0
        self._rate = _FIRST_RATE
        self._closed = False

    @property
    def load(self) -> int:
        """Characters that wait or run."""
        return self._load

    @property
    def closed(self) -> bool:
        """Whether new requests are refused for good."""
        return self._closed

    def admit(self, size: int = 1) -> None:
        """Raise Overloaded if `size` more characters are too many, or would wait too long for their first turn.

        A request that finds nothing before it is taken.
        """
        if self._closed:
            raise Overloaded("the service is shutting down", 1)
        full = self._load + size > self._settings.queue_characters
        if self._load and (full or self._next_turn / self._rate > self._settings.queue_seconds):
            raise self.overloaded("over capacity")

    @property
    def _next_turn(self) -> int:
        """Characters before a new request: what runs, and one case of each request that waits."""
        waiting = sum(group.size_waiting for group in self._queue)
        return self._load - waiting + sum(_size(group.waiting[0][1]) for group in self._queue)

    def overloaded(self, reason: str) -> Overloaded:
        """The refusal, with the time that the work at hand will take."""
        return Overloaded(reason, min(_LONGEST_RETRY, max(1, math.ceil(self._load / self._rate))))

    async def submit(self, cases: Sequence[Case]) -> list[Answer]:
        """The answers, in order. If the caller is cancelled, what still waits of its cases is dropped."""
        size = sum(map(_size, cases))
        self.admit(size)
        loop = asyncio.get_running_loop()
        group = _Group(len(cases), deque(enumerate(cases)), loop.create_future(), loop.time())
        self._queue.append(group)
        self._carry(size)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        try:
            return await group.done
        finally:
            self._drop(group)

    async def close(self) -> None:
        """Refuse new requests, answer the accepted ones, end the worker."""
        self._closed = True
        if self._runner is not None:
            await asyncio.wait({self._runner})
        self._pool.shutdown()

    def _drop(self, group: _Group) -> None:
        if group.waiting:
            self._queue.remove(group)
            self._carry(-group.size_waiting)

    def _carry(self, size: int) -> None:
        self._load += size
        self._metrics.queued(self._load)

    async def _run(self) -> None:
        """One call after another until nothing waits."""
        loop = asyncio.get_running_loop()
        while self._queue:
            taken = self._take()
            started = loop.time()
            self._metrics.called([started - group.since for group, _, _ in taken])
            answers = await loop.run_in_executor(self._pool, self._work, [case for _, _, case in taken])
            self._measure(sum(_size(case) for _, _, case in taken), loop.time() - started)
            for (group, index, _), answer in zip(taken, answers, strict=True):
                group.settle(index, answer)

    def _take(self) -> list[tuple[_Group, int, Case]]:
        """The next call: a case of each request in turn, so that a large batch holds nobody up, within the budget."""
        taken: list[tuple[_Group, int, Case]] = []
        budget = self._settings.call_characters
        while self._queue and len(taken) < self._settings.call_cases:
            group = self._queue[0]
            budget -= _size(group.waiting[0][1])
            if taken and budget < 0:
                break
            self._queue.popleft()
            taken.append((group, *group.waiting.popleft()))
            if group.waiting:
                self._queue.append(group)
        return taken

    def _measure(self, size: int, seconds: float) -> None:
        self._carry(-size)
        self._rate = 0.8 * self._rate + 0.2 * size / max(seconds, 1e-6)


def _size(case: Case) -> int:
    words = [case.text] if case.text is not None else [turn.text for turn in case.turns or ()]
    return _CASE_CHARACTERS + sum(map(len, words))

"""The database from the event loop: reads in a few threads, writes in one, which commits together all that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection

from api.store.database import READS_AT_A_TIME, Database

T = TypeVar("T")
Job = Callable[[Connection], T]
_Waiting = tuple[Job[Any], asyncio.Future[Any]]


class Access:
    """`await access.write(job)` returns once what the job did is on disk. Both raise StoreError."""

    def __init__(self, database: Database):
        self._database = database
        self._readers = ThreadPoolExecutor(READS_AT_A_TIME, thread_name_prefix="store-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-write")
        self._waiting: list[_Waiting] = []
        self._runner: asyncio.Task[None] | None = None

    async def read(self, job: Job[T]) -> T:
        """What `job` finds, in one transaction."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, job)

    async def write(self, job: Job[T]) -> T:
        """What `job` returns, committed. A job that fails, or raises, fails alone and leaves nothing behind."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, done))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await done

    async def close(self) -> None:
        """Write what waits, then give the database back."""
        if self._runner is not None:
            await asyncio.wait({self._runner})
        self._writer.shutdown()
        self._readers.shutdown()
        self._database.close()

    async def _run(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            jobs = [job for job, _ in taken]
            outcomes = await asyncio.get_running_loop().run_in_executor(self._writer, self._commit, jobs)
            for (_, done), outcome in zip(taken, outcomes, strict=True):
                _settle(done, outcome)

    def _read(self, job: Job[T]) -> T:
        with self._database.read() as connection:
            return job(connection)

    def _commit(self, jobs: Sequence[Job[Any]]) -> list[Any]:
        """What each job returned or raised. If the joint transaction fails, each job has one of its own."""
        try:
            with self._database.begin() as connection:
                return [job(connection) for job in jobs]
        except Exception as error:
            if len(jobs) > 1:
                return [outcome for job in jobs for outcome in self._commit([job])]
            return [error]


def _settle(done: asyncio.Future[Any], outcome: Any) -> None:
    if done.cancelled():
        return
    if isinstance(outcome, Exception):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)

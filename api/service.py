"""The running service: a triager behind its queue, its keys, and whether it is ready."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from api.answering import answer_all
from api.asked import Asked, Document, Rows
from api.auth import Keys
from api.batching import Answer, Batcher
from api.hashing import KeyedHash
from api.logs import get_logger
from api.metrics import Metrics
from api.problems import bad_input
from api.rate import RateLimit
from api.reload import SELF_TEST, Reloader, Source
from api.scopes import Caller
from api.settings import ServiceSettings
from triage.case import Case
from triage.result import TriageResult
from triage.stage import watched

if TYPE_CHECKING:
    from api.memory import Memory
    from triage.batch.shards import CaseTriager

logger = get_logger(__name__)
Check = Callable[[Sequence[Answer]], None]
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class Service:
    """What the routes share. `keys` is None for a service open to all, `memory` for one without a store.

    Other triagers come from `source`.
    """

    def __init__(self, triager: CaseTriager, settings: ServiceSettings, source: Source):
        self.triager = triager
        self.info = triager.info
        self.settings = settings
        self.metrics = Metrics()
        self.reload = Reloader(source, self._take_over, self.metrics)
        self.memory = _memory(settings)
        hashed = self.memory.hashed if self.memory else KeyedHash(secrets.token_hex())
        stored = self.memory.keys if self.memory else None
        self.keys = Keys(settings.api_keys, hashed, stored) if settings.auth else None
        self._rate = RateLimit(settings.rate_limit) if settings.rate_limit else None
        self.batcher = Batcher(self._work, settings, self.metrics)
        self.leaving = False
        self._tested = False

    @property
    def ready(self) -> bool:
        """The model has answered, and the service is not shutting down."""
        return self._tested and not self.leaving

    async def self_test(self) -> None:
        """Ready once the model has answered contacts of several kinds."""
        answers = await self.batcher.submit(SELF_TEST)
        self._tested = all(isinstance(answer, TriageResult) for answer in answers)
        if self._tested:
            logger.info("self-test passed")
        else:
            logger.error("self-test failed: not ready")

    def spend(self, caller: Caller, contacts: int) -> None:
        """Count contacts for the rate limit of a key; 429 if they are too many."""
        if self._rate is not None and contacts > 0:
            self._rate.spend(caller.name, contacts)

    async def answer(self, request: Request, body: Any, rows: Rows, check: Check) -> list[Document]:
        """An answer a row, stored before it is returned if there is a store. `check` sees them first and may raise."""
        if self.memory is None:
            results = await self._answers(request, rows)
            check(results)
            return [result.to_dict() for result in results]
        async with self.memory.permitted(_asked(request, body)) as permit:
            if permit.answers is not None:
                request.state.noted = {"replayed": True}
                return [{"id": row.id, **answer} for row, answer in zip(rows, permit.answers, strict=True)]
            rows = await self.memory.recall(rows)
            results = await self._answers(request, rows)
            check(results)
            await self.memory.keep(rows, results, permit, self.triager.policy.tier_head)
            return [result.to_dict() for result in results]

    async def _answers(self, request: Request, rows: Rows) -> list[Answer]:
        """One answer a row; an error stays in its place."""
        cases = [row for row in rows if isinstance(row, Case)]
        found = iter(await self.triage(request, cases) if cases else [])
        return [next(found) if isinstance(row, Case) else row for row in rows]

    async def triage(self, request: Request, cases: Sequence[Case]) -> list[Answer]:
        """Answers in order. Raises Overloaded past the deadline, ClientDisconnect when nobody waits any more."""
        work = asyncio.ensure_future(self.batcher.submit(cases))
        gone = asyncio.ensure_future(_disconnected(request))
        try:
            deadline = self.settings.deadline_seconds
            await asyncio.wait({work, gone}, timeout=deadline, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                self.metrics.answered(work.result())
                return work.result()
            if gone.done():
                raise ClientDisconnect
            raise self.batcher.overloaded(f"not answered within {deadline:g} s")
        finally:
            work.cancel()
            gone.cancel()

    def leave(self) -> None:
        """Not ready any more: whoever balances load sends no more; what still comes is answered."""
        self.leaving = True
        logger.info("leaving")

    async def close(self) -> None:
        """What was accepted is answered, the rest refused."""
        self.leaving = True
        await self.batcher.close()
        if self.memory is not None:
            await self.memory.close()

    def _work(self, cases: Sequence[Case]) -> list[Answer]:
        with watched(self.metrics.stage):
            return answer_all(self.triager, cases)

    def _take_over(self, triager: CaseTriager) -> None:
        self.triager, self.info = triager, triager.info
        logger.info("model taken over", model=self.info["name"], version=self.info["version"])


def _memory(settings: ServiceSettings) -> Memory | None:
    if settings.database_url is None:
        return None
    from api.memory import Memory  # here: 11 MB of SQLAlchemy that a service without a store never needs

    return Memory.open(settings)


def _asked(request: Request, body: Any) -> Asked:
    """The body counts as it was meant, not as it was written: order of keys and white space make no difference."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise bad_input("Idempotency-Key: 1 to 200 printable ASCII characters without blanks")
    same = json.dumps(body, sort_keys=True) if key else ""
    return Asked(request.state.caller, request.scope["route"].path, key, same)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

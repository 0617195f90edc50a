"""The running service: a triager behind its queue, its keys, and whether it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.requests import ClientDisconnect

from api.answering import answer_all
from api.auth import Keys
from api.batching import Answer, Batcher
from api.logs import get_logger
from api.metrics import Metrics
from api.reload import SELF_TEST, Reloader, Source
from api.settings import ServiceSettings
from triage.case import Case
from triage.result import TriageResult
from triage.stage import watched

if TYPE_CHECKING:
    from triage.batch.run import CaseTriager

logger = get_logger(__name__)


class Service:
    """What the routes share. `keys` is None for a service open to all; other triagers come from `source`."""

    def __init__(self, triager: CaseTriager, settings: ServiceSettings, source: Source):
        self.triager = triager
        self.info = triager.info
        self.settings = settings
        self.metrics = Metrics()
        self.reload = Reloader(source, self._take_over, self.metrics)
        self.keys = Keys(settings.api_keys) if settings.auth else None
        self.batcher = Batcher(self._work, settings, self.metrics)
        self.leaving = False
        self._tested = False

    @property
    def ready(self) -> bool:
        """The model has answered, and the service is not shutting down."""
        return self._tested and not self.leaving

    async def self_test(self) -> None:
        """Ready once the model has answered."""
        (answer,) = await self.batcher.submit([SELF_TEST])
        self._tested = isinstance(answer, TriageResult)
        if self._tested:
            logger.info("self-test passed")
        else:
            logger.error("self-test failed: not ready")

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

    def _work(self, cases: Sequence[Case]) -> list[Answer]:
        with watched(self.metrics.stage):
            return answer_all(self.triager, cases)

    def _take_over(self, triager: CaseTriager) -> None:
        self.triager, self.info = triager, triager.info
        logger.info("model taken over", model=self.info["name"], version=self.info["version"])


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

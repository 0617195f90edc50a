"""The running service: a triager behind its queue, its keys, and whether it is ready."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.requests import ClientDisconnect

from api.answering import answer_all
from api.auth import Keys
from api.batching import Answer, Batcher
from api.settings import ServiceSettings
from triage.case import Case
from triage.result import TriageResult

if TYPE_CHECKING:
    from triage.batch.run import CaseTriager

logger = logging.getLogger(__name__)
_SELF_TEST = Case(id="self-test", text="等了三天没有人回复，麻烦处理一下。")


class Service:
    """What the routes share. `keys` is None for a service open to all."""

    def __init__(self, triager: CaseTriager, settings: ServiceSettings):
        self.triager = triager
        self.settings = settings
        self.keys = Keys(settings.api_keys) if settings.auth else None
        self.batcher = Batcher(partial(answer_all, triager), settings)
        self._tested = False

    @property
    def ready(self) -> bool:
        """The model has answered, and the service is not shutting down."""
        return self._tested and not self.batcher.closed

    async def self_test(self) -> None:
        """Ready once the model has answered."""
        (answer,) = await self.batcher.submit([_SELF_TEST])
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
                return work.result()
            if gone.done():
                raise ClientDisconnect
            raise self.batcher.overloaded(f"not answered within {deadline:g} s")
        finally:
            work.cancel()
            gone.cancel()

    async def close(self) -> None:
        """Not ready any more; what was accepted is answered."""
        await self.batcher.close()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

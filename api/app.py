"""The application: routes, errors, envelope and documentation around one triager."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from api import docs, openapi, problems
from api.console import console
from api.envelope import Envelope
from api.process import listening
from api.reload import Source
from api.review import review
from api.routes import open_to_all, operations, with_key
from api.service import Service
from api.settings import ServiceSettings

if TYPE_CHECKING:
    from triage.batch.shards import CaseTriager

_ABOUT = "Reads Chinese customer contacts: complaint type, risk tier, motive, dissatisfaction, evidence, next steps."


def create_app(triager: CaseTriager, settings: ServiceSettings, source: Source | None = None) -> FastAPI:
    """A service that answers with `triager`; a self-test when it starts, a drain when it stops.

    Others take its place that come from `source`, when the process gets SIGHUP or the files there have changed.
    """
    service = Service(triager, settings, source or Source(lambda: triager))

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(service.self_test())]
        if settings.watch_seconds:
            tasks.append(asyncio.create_task(service.reload.watch(settings.watch_seconds)))
        if service.memory is not None:
            service.memory.start()

        def reload() -> None:
            tasks.append(asyncio.create_task(service.reload()))

        with listening(service.leave, reload, settings.drain_seconds):
            yield
        await service.close()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    app = FastAPI(
        title="Complaint triage",
        description=_ABOUT,
        version=_version(),
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "auto_configure": False,
        },  # carries error messages
    )
    app.state.service = service
    app.include_router(with_key)
    app.include_router(review)
    app.include_router(open_to_all)
    app.include_router(operations)
    app.include_router(console)
    app.add_middleware(Envelope, service=service)
    problems.install(app)
    openapi.install(app, lambda: service.triager.taxonomy)
    if settings.docs:
        docs.install(app)
    return app


def _version() -> str:
    try:
        return version("complaint-triage")
    except PackageNotFoundError:  # run from a checkout
        return "0"

"""The application: routes, errors, envelope and documentation around one triager."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from fastapi import FastAPI

from api import docs, openapi, problems
from api.envelope import Envelope
from api.review import review
from api.routes import open_to_all, with_key
from api.service import Service
from api.settings import ServiceSettings

if TYPE_CHECKING:
    from triage.batch.run import CaseTriager

_ABOUT = "Reads Chinese customer contacts: complaint type, risk tier, motive, dissatisfaction, evidence, next steps."


def create_app(triager: CaseTriager, settings: ServiceSettings) -> FastAPI:
    """A service that answers with `triager`; a self-test when it starts, a drain when it stops."""
    service = Service(triager, settings)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        self_test = asyncio.create_task(service.self_test())
        if service.memory is not None:
            service.memory.start()
        yield
        await service.close()
        await self_test

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
    app.add_middleware(Envelope)
    problems.install(app)
    openapi.install(app, triager.taxonomy)
    if settings.docs:
        docs.install(app)
    return app


def _version() -> str:
    try:
        return version("complaint-triage")
    except PackageNotFoundError:  # run from a checkout
        return "0"

"""`triage serve`. The server and the model are imported inside."""

from __future__ import annotations

import logging
import math
import os
from pathlib import Path
from typing import Annotated

import typer

from triage.errors import SettingsError

_AFTER_DEADLINE = 5  # seconds for the last answers to be written


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen at; 0 takes a free one.")] = 8000,
    model: Annotated[Path | None, typer.Option(help="Model folder; default: TRIAGE_MODEL.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file; default: TRIAGE_POLICY.")] = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Answer without keys. For a closed network only.")] = False,
) -> None:
    """Answer over HTTP until stopped. Keys are read from TRIAGE_API_KEYS, limits from other TRIAGE_ variables."""
    try:
        import uvicorn

        from api.app import create_app
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"triage serve needs pip install 'complaint-triage[serve]'; missing: {error.name}"
        ) from None
    from api.settings import ServiceSettings
    from triage.triager import Triager

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = ServiceSettings.read(os.environ, model=model, policy=policy, auth=not no_auth)
    triager = Triager.load(settings.model, settings.policy, settings.threads)
    uvicorn.run(
        create_app(triager, settings),
        host=host,
        port=port,
        log_config=None,
        access_log=False,  # it would log paths and queries as they were sent
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.deadline_seconds) + _AFTER_DEADLINE,
    )

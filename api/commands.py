"""`triage serve`. The server and the model are imported inside."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Annotated

import typer

from triage.cores import cores
from triage.errors import SettingsError

_AFTER_DEADLINE = 5  # seconds for the last answers to be written


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen at; 0 takes a free one.")] = 8000,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="Processes; default: one a core.")] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder; default: TRIAGE_MODEL.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file; default: TRIAGE_POLICY.")] = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Answer without keys. For a closed network only.")] = False,
) -> None:
    """Answer over HTTP until stopped. Keys are read from TRIAGE_API_KEYS, limits from other TRIAGE_ variables."""
    try:
        from api.logs import write_json_lines
        from api.workers import run
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"triage serve needs pip install 'complaint-triage[serve]'; missing: {error.name}"
        ) from None
    from api.settings import ServiceSettings

    settings = ServiceSettings.read(os.environ, model=model, policy=policy, auth=not no_auth)
    write_json_lines()
    run(
        settings,
        workers or cores(),
        host=host,
        port=port,
        log_config=None,
        access_log=False,  # it would log paths and queries as they were sent
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.deadline_seconds) + _AFTER_DEADLINE,
    )

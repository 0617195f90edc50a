"""Several processes behind one socket. The parent starts them, replaces one that died, and passes signals on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from api.logs import get_logger, write_json_lines
from api.settings import ServiceSettings
from triage.errors import SettingsError, TriageError

logger = get_logger(__name__)
_SWITCH_SECONDS = 0.001  # how long the thread of the model may keep the event loop waiting, which refuses and accepts
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Workers(Multiprocess):
    """uvicorn's supervisor, but SIGHUP takes over another model inside the workers instead of replacing them."""

    def handle_hup(self) -> None:
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)

    def keep_subprocess_alive(self) -> None:
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            _forget(pid)


def load_app(settings: ServiceSettings) -> FastAPI:
    """The application of one process, with model and policy of the settings. Raises TriageError."""
    from api.app import create_app
    from api.process import give_back_memory
    from api.reload import Source
    from triage.policy import DEFAULT_POLICY
    from triage.triager import DEFAULT_MODELS, Triager

    sys.setswitchinterval(_SWITCH_SECONDS)
    model, policy = settings.model or DEFAULT_MODELS, settings.policy or DEFAULT_POLICY

    def load() -> Triager:
        triager = Triager.load(model, policy, settings.threads)
        give_back_memory()
        return triager

    source = Source(load, (model, policy))
    return create_app(source.load(), settings, source)


def load_worker_app(settings: ServiceSettings) -> FastAPI:
    """The same in a process of its own: logs are set up, and what cannot start says so once and is not retried."""
    write_json_lines()
    try:
        return load_app(settings)
    except TriageError as error:
        logger.error("cannot start", reason=str(error))
        raise SystemExit(STARTUP_FAILURE) from None


def run(settings: ServiceSettings, workers: int, **options: Any) -> None:
    """Serve until stopped: in this process, or in several. Raises TriageError if that cannot start."""
    load = load_app if workers == 1 else load_worker_app
    config = Config(partial(load, settings), factory=True, workers=workers, **options)
    if workers == 1:
        config.load()
        Server(config).run(sockets=[config.bind_socket()])
        return
    with _shared_metrics():
        parent = Workers(config, sockets=[config.bind_socket()])
        parent.run()
    if any(process.exitcode == STARTUP_FAILURE for process in parent.processes):
        raise SettingsError("serve: no worker could start; the log says why")


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """A folder in which the workers, which inherit the variable, keep what they count."""
    with TemporaryDirectory(prefix="triage-metrics-") as folder:
        os.environ[_FOLDER] = folder
        yield


def _forget(pid: int | None) -> None:
    """The gauges of a worker that died count no more."""
    from prometheus_client.multiprocess import mark_process_dead  # after the variable was set

    mark_process_dead(pid)

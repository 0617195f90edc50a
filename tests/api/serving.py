"""`triage serve` as a process, and clients that keep asking it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import httpx2

KEY = "key-of-the-ticket-system"
HEADERS = {"Authorization": f"Bearer {KEY}"}


def environment(root: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
    return {**kept, "PYTHONPATH": str(root), **more}


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def wait_ready(address: str) -> None:
    for _ in range(600):
        try:
            if httpx2.get(f"{address}/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server did not become ready")


@dataclass
class Served:
    """A running server; `log` is what it has written to standard error."""

    process: subprocess.Popen[bytes]
    address: str
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8")

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


@contextmanager
def serve(root: Path, folder: Path, *options: str, **variables: str) -> Iterator[Served]:
    """The `triage serve` of this checkout, ready, with the shipped model unless told otherwise."""
    address, log = free_address(), folder / "log"
    program = "from triage.cli import main; main()"
    words = ["serve", "--port", address.rpartition(":")[2], *options]
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", program, *words],
            cwd=root,
            env=environment(root, TRIAGE_API_KEYS=KEY, **variables),
            stderr=stream,
        )
    try:
        wait_ready(address)
        yield Served(process, address, log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(40)


@dataclass
class Crowd:
    """Clients that ask one request after another, each on its own connection, until told to stop.

    A client also stops when the server says that it closes the connection, as whoever balances load would do.
    """

    address: str
    clients: int = 6
    answers: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    _stop: Event = field(default_factory=Event)

    @contextmanager
    def asking(self) -> Iterator[Crowd]:
        with ThreadPoolExecutor(self.clients) as pool:
            running = [pool.submit(self._ask, number) for number in range(self.clients)]
            try:
                yield self
            finally:
                self._stop.set()
        for one in running:
            one.result()  # a request that got no answer is raised here

    def versions(self, last: int) -> set[str]:
        return {answer["model"]["version"] for answer in self.answers[-last:]}

    def _ask(self, number: int) -> None:
        with httpx2.Client(base_url=self.address, headers=HEADERS, timeout=30) as client:
            while not self._stop.is_set():
                answer = client.post(
                    "/v1/triage", json={"text": f"翡翠秘密{number}，说好三天退款没人管，打13800138000"}
                )
                self.statuses.append(answer.status_code)
                self.answers.append(answer.json())
                if answer.headers.get("Connection") == "close":
                    return

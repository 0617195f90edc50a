"""A server killed under load (SIGKILL): every contact that was answered is in the store after the restart."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2

from tests.api.serving import environment, wait_ready
from tests.api.store.conftest import API_KEYS, KEYS, SECRET

PROGRAM = """
import sys
from tests.fakes import FakeTriager
from triage.taxonomy import load_taxonomy
from triage.triager import Triager

Triager.load = lambda *_: FakeTriager(load_taxonomy())
from api.commands import serve
serve(port=int(sys.argv[1]), workers=1)
"""
CLIENTS = 8
HELD = 60


def start(root: Path, address: str, database_url: str) -> subprocess.Popen[bytes]:
    variables = {"TRIAGE_API_KEYS": API_KEYS, "TRIAGE_DATABASE_URL": database_url, "TRIAGE_SECRET": SECRET}
    words = [sys.executable, "-c", PROGRAM, address.rpartition(":")[2]]
    started = subprocess.Popen(words, env=environment(root, **variables), stderr=subprocess.DEVNULL)  # noqa: S603
    wait_ready(address)
    return started


def send_until_killed(address: str, sender: int, answered: list[str], enough: threading.Event) -> None:
    """Posts one contact after another and notes each that was answered."""
    headers = {"Authorization": f"Bearer {KEYS['ticket']}"}
    with suppress(httpx2.TransportError), httpx2.Client(base_url=address, headers=headers) as client:
        for number in range(100_000):
            contact = f"{sender}-{number}"
            if client.post("/v1/triage", json={"id": contact, "text": "没人管"}).status_code == 200:
                answered.append(contact)
            if len(answered) >= HELD:
                enough.set()


def stored(address: str) -> list[str]:
    found: list[str] = []
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = httpx2.get(f"{address}/v1/cases", params=query, headers={"Authorization": f"Bearer {KEYS['qa']}"}).json()
        found += [one["case"]["id"] for one in page["cases"]]
        if page["next"] is None:
            return found
        query["before"] = page["next"]


def test_nothing_that_was_answered_is_lost(root: Path, address: str, database_url: str) -> None:
    server = start(root, address, database_url)
    answered: list[str] = []
    enough = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for sender in range(CLIENTS):
            pool.submit(send_until_killed, address, sender, answered, enough)
        assert enough.wait(60)
        server.kill()
        server.wait()
    again = start(root, address, database_url)
    try:
        kept = stored(address)
    finally:
        again.kill()
        again.wait()
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept))
    assert len(kept) - len(answered) <= CLIENTS  # stored, and killed before the answer was sent

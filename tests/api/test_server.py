"""`triage serve` as a process: it starts, refuses to start, drains on SIGTERM, and loads no training library."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.api.serving import HEADERS, KEY, environment, wait_ready

PROGRAM = """
import sys, time
from tests.fakes import FakeTriager
from triage.taxonomy import load_taxonomy
from triage.triager import Triager

class Slow(FakeTriager):
    def pipe(self, cases, batch_size=64):
        cases = list(cases)
        time.sleep(1.5 if cases[0].id != "self-test" else 0)
        return super().pipe(cases, batch_size)

Triager.load = lambda *_: Slow(load_taxonomy())
from api.commands import serve
serve(port=int(sys.argv[1]), workers=1)
"""


@pytest.fixture
def server(root: Path, address: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", PROGRAM, address.rpartition(":")[2]],
            env=environment(root, TRIAGE_API_KEYS=KEY),
            stderr=log,
        )
    yield started
    started.kill()
    started.wait()


def ask(address: str, text: str) -> httpx2.Response:
    return httpx2.post(f"{address}/v1/triage", json={"text": text}, headers=HEADERS, timeout=30)


def test_sigterm_drains(server: subprocess.Popen[bytes], address: str, tmp_path: Path) -> None:
    wait_ready(address)
    with ThreadPoolExecutor(6) as pool:
        accepted = [pool.submit(ask, address, f"没人管{n}") for n in range(6)]
        time.sleep(1)  # all of them are in: one runs, the others wait for the second call
        server.send_signal(signal.SIGTERM)
        assert [one.result().status_code for one in accepted] == [200] * 6
    assert server.wait(20) in (0, -signal.SIGTERM)
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"{address}/healthz")
    log = (tmp_path / "log").read_text("utf-8")
    assert log.count('"status": 200, "ms": ') >= 6
    assert "没人管" not in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("words", "variables", "message"),
    [
        ([], {}, "TRIAGE_API_KEYS: at least one key is needed, or --no-auth"),
        ([], {"TRIAGE_API_KEYS": "k", "TRIAGE_CALL_CASE": "1"}, "given TRIAGE_CALL_CASE"),
        (["--no-auth", "--model", "none", "--workers", "1"], {}, "none"),
    ],
)
def test_refuses_to_start(
    root: Path, tmp_path: Path, words: list[str], variables: dict[str, str], message: str
) -> None:
    program = "from triage import cli; from api.commands import serve; cli.app.command()(serve); cli.app()"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program, "serve", *words],
        env=environment(root, **variables),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("triage: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_service_loads_no_training_library(root: Path) -> None:
    code = (
        "import sys, api.app, api.commands, uvicorn, triage.triager\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'pandas', 'openpyxl'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], env=environment(root), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

"""Several workers under load: another model takes over, a broken one is refused, SIGTERM drains; nothing is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.api.serving import HEADERS, Crowd, Served, serve


def version(root: Path, folder: Path, name: str) -> Path:
    """The shipped model under another version number."""
    made = folder / name
    made.mkdir()
    for file in (root / "models" / "default").iterdir():
        if file.name != "manifest.json":
            (made / file.name).symlink_to(file)
    manifest = json.loads((root / "models" / "default" / "manifest.json").read_text("utf-8"))
    (made / "manifest.json").write_text(json.dumps(manifest | {"version": name}), "utf-8")
    return made


def promote(pointer: Path, model: Path) -> None:
    """Let the pointer lead to another model, in one step."""
    fresh = pointer.with_name("fresh")
    fresh.symlink_to(model)
    fresh.replace(pointer)


def until(state: Callable[[], bool]) -> None:
    for _ in range(400):
        if state():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


def reloads(served: Served, outcome: str) -> float:
    page = httpx2.get(f"{served.address}/metrics", headers=HEADERS).text
    found = re.search(rf'triage_reloads_total{{outcome="{outcome}"}} (\S+)', page)
    return float(found[1]) if found else 0.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="signals of POSIX are needed")
def test_reload_and_drain_under_load(root: Path, tmp_path: Path) -> None:
    first, second, broken = (version(root, tmp_path, name) for name in ("first", "second", "broken"))
    (broken / "wide.npz").unlink()
    (broken / "wide.npz").write_bytes(b"not what was saved")
    pointer = tmp_path / "current"
    promote(pointer, first)
    options = ("--workers", "2", "--model", str(pointer))
    with serve(root, tmp_path, *options, TRIAGE_WATCH_SECONDS="0.2") as served:
        with Crowd(served.address).asking() as crowd:
            until(lambda: len(crowd.answers) > 20)
            assert crowd.versions(20) == {"first"}
            promote(pointer, second)
            until(lambda: reloads(served, "done") == 2)
            asked = len(crowd.answers)
            until(lambda: len(crowd.answers) > asked + 40)
            assert crowd.versions(20) == {"second"}
            promote(pointer, broken)
            until(lambda: reloads(served, "refused") == 2)
            promote(pointer, second)
            served.process.send_signal(signal.SIGHUP)
            until(lambda: reloads(served, "done") >= 4)
            assert crowd.versions(20) == {"second"}
            page = httpx2.get(f"{served.address}/metrics", headers=HEADERS).text
            served.process.send_signal(signal.SIGTERM)
            until(lambda: is_gone(served.address))
        assert served.process.wait(40) in (0, -signal.SIGTERM)
        log = served.log
    assert set(crowd.statuses) == {200}
    counted = re.search(r'triage_requests_total{method="POST",route="/v1/triage",status="200"} (\S+)', page)
    assert counted
    assert 40 < float(counted[1]) <= len(crowd.statuses)
    assert "sha256 differs" in log
    assert not re.search("翡翠秘密|13800138000|没人管|Traceback", log)
    lines = [json.loads(line) for line in log.splitlines()]
    assert sum(line.get("status") == 200 and line.get("route") == "/v1/triage" for line in lines) == len(crowd.statuses)


def is_gone(address: str) -> bool:
    try:
        httpx2.get(f"{address}/healthz")
    except httpx2.TransportError:
        return True
    return False


def test_a_worker_that_died_is_replaced_and_none_outlives_its_parent(root: Path, tmp_path: Path) -> None:
    with serve(root, tmp_path, "--workers", "2") as served:
        started = {int(pid) for pid in re.findall(r"Started server process \[(\d+)\]", served.log)}
        os.kill(started.pop(), signal.SIGKILL)
        until(lambda: served.log.count("Started server process") == 3)
        until(lambda: httpx2.get(f"{served.address}/readyz").status_code == 200)
        served.process.kill()
        until(lambda: is_gone(served.address))

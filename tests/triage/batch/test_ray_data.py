"""Ray Data on this machine: the same file as the local engine makes, also where a worker is killed in mid-run."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray.data", reason="needs the extra 'ray'")

from tests.conftest import ROOT
from tests.fakes import load_slow
from tests.triage.batch.calls import report_content, write_mixed
from triage.batch import run
from triage.batch.ray_data import RayData
from triage.batch.read import open_sources
from triage.batch.report.options import ReportOptions
from triage.batch.run import Outputs, Settings

ROWS = 600


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RAY_worker_niceness", "0")  # else a busy machine leaves the workers nothing
    return write_mixed(tmp_path / "in.jsonl", ROWS)


def actors() -> Iterator[int]:
    """Processes of the pool that are children of a Ray that this process started."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and (entry / "cmdline").read_bytes().startswith(b"ray::MapWorker"):
                raylet = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if int((Path("/proc") / str(raylet) / "stat").read_text().rsplit(")", 1)[1].split()[1]) == os.getpid():
                    yield int(entry.name)
        except (OSError, ValueError):
            continue


def kill_one(journal: Path, killed: list[int]) -> None:
    """SIGKILL to a worker as soon as some shards are there."""
    for _ in range(6000):
        if len(list(journal.glob("answers-*.gz"))) >= 2 and (found := list(actors())):
            os.kill(found[0], signal.SIGKILL)
            killed.append(found[0])
            return
        time.sleep(0.01)


def test_one_of_two_workers_is_killed(tmp_path: Path, source: Path) -> None:
    settings = Settings(batch_size=4)
    local, away = (
        Outputs(tmp_path / f"{name}.jsonl", ReportOptions((tmp_path / f"{name}.html", tmp_path / f"{name}.xlsx")))
        for name in ("local", "ray")
    )
    run.score(load_slow(), open_sources([source], {}), local, settings)
    killed: list[int] = []
    killer = threading.Thread(target=kill_one, args=(tmp_path / "ray.jsonl.unfinished", killed))
    killer.start()
    engine = RayData(load_slow, workers=2)
    tally = run.score(load_slow(), open_sources([source], {}), away, settings, engine)
    killer.join()
    assert killed
    assert tally.contacts == ROWS
    assert away.out.read_bytes() == local.out.read_bytes()
    assert list(map(report_content, away.report.paths)) == list(map(report_content, local.report.paths))
    written = {f"{name}{suffix}" for name in ("local", "ray") for suffix in (".jsonl", ".html", ".xlsx")}
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", *written}

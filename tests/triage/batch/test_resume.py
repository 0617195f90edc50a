"""Whatever happens to a run, going on gives the same file as if nothing had."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.fakes import FakeTriager
from tests.triage.batch.calls import TEXTS, report_content, write_mixed
from triage.batch import run
from triage.batch.journal import Answer, Journal
from triage.batch.local import Local
from triage.batch.read import open_sources
from triage.batch.report.options import ReportOptions
from triage.batch.run import Outputs, Settings
from triage.batch.shards import Shard, Shards
from triage.errors import OutputError

PROGRAM = Path(__file__).with_name("slow_score.py")
ROWS = 1000
SHARDS = 32  # of 8 batches of 4


@pytest.fixture
def source(tmp_path: Path) -> Path:
    lines = [json.dumps({"id": f"T-{number}", "text": TEXTS[number % 5]}) for number in range(ROWS)]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return path


def start(source: Path, out: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603
        [sys.executable, PROGRAM, "score", source, "-o", out, "--batch-size", "4", "-q", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def undisturbed(source: Path, out: Path) -> bytes:
    sources = open_sources([source], {})
    run.score(load_fake(), sources, Outputs(out), Settings(batch_size=4))
    return out.read_bytes()


def load_fake() -> FakeTriager:
    from tests.fakes import load_slow

    return FakeTriager(load_slow().taxonomy)


def kill_when(process: subprocess.Popen[str], journal: Path, shards: int) -> bool:
    """SIGKILL, to the parent alone, as soon as so many shards are there; False if the run ended before."""
    while process.poll() is None:
        if len(list(journal.glob("answers-*.gz"))) >= shards:
            process.kill()
            process.wait()
            return True
        time.sleep(0.002)
    return False


def wait_for_shards(process: subprocess.Popen[str], journal: Path) -> None:
    """Until two shards are there."""
    while len(list(journal.glob("answers-*.gz"))) < 2:
        assert process.poll() is None
        time.sleep(0.005)


def all_gone(group: int) -> bool:
    """Whether every process of a group has ended, within a while."""
    for _ in range(100):
        try:
            os.killpg(group, signal.SIG_DFL)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("suffix", [".jsonl"])
def test_killed_ten_times(tmp_path: Path, source: Path, suffix: str) -> None:
    expected = undisturbed(source, tmp_path / f"expected{suffix}")
    out = tmp_path / f"o{suffix}"
    points = sorted(random.Random(20).sample(range(SHARDS - 4), 10))  # noqa: S311
    for point in points:
        process = start(source, out, "--resume")
        assert kill_when(process, tmp_path / f"o{suffix}.unfinished", point), process.communicate()[1]
        assert all_gone(process.pid)
        assert not out.exists()
    process = start(source, out, "--resume")
    assert process.wait() == 1, process.communicate()[1]
    assert out.read_bytes() == expected
    assert {path.name for path in tmp_path.iterdir()} == {source.name, out.name, f"expected{suffix}"}


@pytest.mark.parametrize("limit", ["300", "30000"])
def test_full_disk(tmp_path: Path, source: Path, limit: str) -> None:
    """Too small for the answers of a shard, then for the output."""
    expected = undisturbed(source, tmp_path / "expected.jsonl")
    out = tmp_path / "o.jsonl"
    out.write_text("old")
    process = start(source, out, FILE_BYTES=limit)
    message = process.communicate()[1]
    assert (process.returncode, message.count("\n")) == (2, 1)
    assert "cannot be written: File too large" in message
    assert out.read_text() == "old"
    process = start(source, out, "--resume")
    assert process.wait() == 1, process.communicate()[1]
    assert out.read_bytes() == expected


class Interrupted(Exception):
    """Stands for whatever ends a run."""


class Until:
    """An engine that breaks after some shards."""

    def __init__(self, triager: Any, shards: int):
        self._local, self._left = Local(triager), shards

    def __call__(self, shards: Shards, journal: Journal) -> Iterator[tuple[Shard, Sequence[Answer]]]:
        for answered in self._local(shards, journal):
            if not self._left:
                raise Interrupted
            self._left -= 1
            yield answered


def _begin(triager: Any, source: Path, outputs: Outputs, shards: int = 3) -> None:
    with pytest.raises(Interrupted):
        run.score(triager, open_sources([source], {}), outputs, Settings(batch_size=4), Until(triager, shards))


class Counting(FakeTriager):
    """Remembers what it was asked."""

    def __init__(self, triager: Any):
        super().__init__(triager.taxonomy)
        self.asked: list[str] = []

    def __call__(self, case: Any) -> Any:
        self.asked.append(case.id)
        return super().__call__(case)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".xlsx", ".parquet"])
def test_nothing_is_asked_twice(tmp_path: Path, source: Path, fake_triager: Any, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    outputs = Outputs(tmp_path / f"o{suffix}", ReportOptions((tmp_path / "r.html",)))
    triager = Counting(fake_triager)
    _begin(triager, source, outputs)
    assert not outputs.out.exists()
    tally = run.score(triager, open_sources([source], {}), outputs, Settings(batch_size=4))
    assert tally.contacts == ROWS
    assert len(triager.asked) == len(set(triager.asked)) == ROWS * 3 // 5
    assert outputs.out.read_bytes() == undisturbed(source, tmp_path / f"expected{suffix}")


def test_the_report_after_a_resume_is_that_of_an_undisturbed_run(tmp_path: Path, fake_triager: Any) -> None:
    source = write_mixed(tmp_path / "in.jsonl", 200)
    previous = undisturbed(source, tmp_path / "before.jsonl")
    written = []
    for name in ("undisturbed", "resumed"):
        folder = tmp_path / name
        folder.mkdir()
        reports = (folder / "r.html", folder / "r.xlsx")
        outputs = Outputs(folder / "o.jsonl", ReportOptions(reports, 5, tmp_path / "before.jsonl", 2))
        if name == "resumed":
            _begin(fake_triager, source, outputs)
            assert not any(report.exists() for report in reports)
        run.score(fake_triager, open_sources([source], {}), outputs, Settings(batch_size=4))
        written.append((outputs.out.read_bytes(), *map(report_content, reports)))
    assert written[0] == written[1]
    assert written[0][0] == previous


def test_lapses_go_through_the_journal(tmp_path: Path, fake_triager: Any) -> None:
    source = write_mixed(tmp_path / "in.jsonl", 200)
    outputs = Outputs(tmp_path / "o.jsonl")
    _begin(fake_triager, source, outputs)
    run.score(Counting(fake_triager), open_sources([source], {}), outputs, Settings(batch_size=4))
    answers = [json.loads(line) for line in outputs.out.read_text("utf-8").splitlines()]
    calls = [answer for number, answer in enumerate(answers) if number % 3 == 0 and "error" not in answer]
    assert len(calls) > 40
    lapse = {"kind": "cold", "turn": 1, "start": 2, "end": 5, "text": "没办法"}
    assert all(answer["agent_lapses"] == [lapse] for answer in calls)


def test_the_interrupt_key_keeps_what_was_done(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "o.jsonl"
    process = start(source, out)
    wait_for_shards(process, tmp_path / "o.jsonl.unfinished")
    os.killpg(process.pid, signal.SIGINT)
    message = process.communicate()[1]
    assert (process.returncode, message) == (130, "triage: stopped; what was done is kept: add --resume to go on\n")
    assert all_gone(process.pid)
    process = start(source, out, "--resume")
    assert process.wait() == 1, process.communicate()[1]
    assert out.read_bytes() == undisturbed(source, tmp_path / "expected.jsonl")


def test_a_broken_shard_is_done_again(tmp_path: Path, source: Path, fake_triager: Any) -> None:
    outputs = Outputs(tmp_path / "o.jsonl")
    _begin(fake_triager, source, outputs)
    first, second, third, _ = sorted((tmp_path / "o.jsonl.unfinished").glob("answers-*"))
    first.write_bytes(first.read_bytes()[:-9])
    second.write_bytes(b"")
    third.unlink()
    run.score(fake_triager, open_sources([source], {}), outputs, Settings(batch_size=4))
    assert outputs.out.read_bytes() == undisturbed(source, tmp_path / "expected.jsonl")


def test_an_unfinished_run_is_not_lost(tmp_path: Path, source: Path, fake_triager: Any) -> None:
    outputs = Outputs(tmp_path / "o.jsonl")
    outputs.check([source])
    _begin(fake_triager, source, outputs)
    with pytest.raises(OutputError, match="add --resume"):
        outputs.check([source])
    outputs.check([source], resume=True)


CHANGES = {
    "inputs (in.jsonl)": lambda source, triager: (source.write_text('{"text": "谢谢"}', "utf-8"), triager)[1],
    "triager": lambda _, triager: setattr(triager, "digest", "another") or triager,
    "batch size": lambda _, triager: triager,
    "mapping": lambda _, triager: triager,
}


@pytest.mark.parametrize("changed", CHANGES)
def test_another_job_is_refused(tmp_path: Path, source: Path, fake_triager: Any, changed: str) -> None:
    outputs = Outputs(tmp_path / "o.jsonl")
    _begin(fake_triager, source, outputs)
    triager = CHANGES[changed](source, Counting(fake_triager))
    settings = Settings({"id": "id"} if changed == "mapping" else {}, 8 if changed == "batch size" else 4)
    with pytest.raises(OutputError, match="had other") as refused:
        run.score(triager, open_sources([source], {}), outputs, settings)
    assert f"had other {changed};" in str(refused.value)
    assert triager.asked == []


def test_killed_after_the_output_was_there(
    tmp_path: Path, source: Path, fake_triager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = Outputs(tmp_path / "o.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "remove", lambda _: None)
        run.score(fake_triager, open_sources([source], {}), outputs, Settings(batch_size=4))
    before = outputs.out.read_bytes()
    triager = Counting(fake_triager)
    run.score(triager, open_sources([source], {}), outputs, Settings(batch_size=4))
    assert (triager.asked, outputs.out.read_bytes()) == ([], before)
    assert not Journal.beside(outputs.out).folder.exists()


def test_a_worker_that_dies_is_one_sentence(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "o.jsonl"
    process = start(source, out)
    wait_for_shards(process, tmp_path / "o.jsonl.unfinished")
    os.kill(_a_worker_of(process.pid), signal.SIGKILL)
    assert "a worker process ended before its work was done" in process.communicate()[1]
    assert process.returncode == 2
    process = start(source, out, "--resume")
    assert process.wait() == 1, process.communicate()[1]
    assert out.read_bytes() == undisturbed(source, tmp_path / "expected.jsonl")


def _a_worker_of(parent: int) -> int:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return next(child for child, command in commands.items() if b"spawn_main" in command)

"""Another model takes over only if it answers; meanwhile and otherwise the old one does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from api.metrics import Metrics
from api.reload import Reloader, Source, fingerprint
from tests.fakes import FakeTriager
from triage.batch.shards import CaseTriager
from triage.case import Case
from triage.errors import ArtefactError
from triage.result import RowError, TriageResult
from triage.taxonomy import load_taxonomy

WORDS = "翡翠秘密"


class _Dumb(FakeTriager):
    def pipe(self, _cases: Iterable[Case], _batch_size: int = 64) -> Iterator[TriageResult | RowError]:
        return iter(())


def sound() -> CaseTriager:
    return FakeTriager(load_taxonomy())


def broken_file() -> CaseTriager:
    raise ArtefactError("model m: file wide.npz is not the one that was saved")


def broken_program() -> CaseTriager:
    raise RuntimeError(WORDS)


def dumb() -> CaseTriager:
    return _Dumb(load_taxonomy())


@pytest.mark.parametrize(
    ("load", "taken", "reason"),
    [
        (sound, True, ""),
        (broken_file, False, "wide.npz is not the one that was saved"),
        (broken_program, False, "RuntimeError"),
        (dumb, False, "self-test: stage 'triage' failed"),
    ],
)
def test_takes_over_if_it_answers(
    load: Callable[[], CaseTriager], taken: bool, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    took: list[CaseTriager] = []

    async def scene() -> bool:
        return await Reloader(Source(load), took.append, Metrics())()

    assert asyncio.run(scene()) is taken
    assert len(took) == taken
    assert reason in caplog.text
    assert WORDS not in caplog.text


def test_looks_for_changes(tmp_path: Path) -> None:
    """Through a link, in a folder, and of a file by itself."""
    model, other, policy = tmp_path / "model", tmp_path / "other", tmp_path / "policy.yaml"
    for folder in (model, other):
        folder.mkdir()
        (folder / "manifest.json").write_text("{}")
        os.utime(folder / "manifest.json", (1, 1))
    policy.write_text("a")
    link = tmp_path / "link"
    link.symlink_to(model)
    paths = (link, policy)
    prints = [fingerprint(paths)]
    (model / "manifest.json").write_text("{ }")
    prints.append(fingerprint(paths))
    link.unlink()
    link.symlink_to(other)
    prints.append(fingerprint(paths))
    policy.write_text("ab")
    prints.append(fingerprint(paths))
    assert len(set(prints)) == 4
    assert fingerprint(paths) == prints[-1]


def test_a_change_makes_it_reload(tmp_path: Path) -> None:
    took: list[CaseTriager] = []
    file = tmp_path / "policy.yaml"
    file.write_text("a")

    async def scene() -> None:
        watching = asyncio.create_task(Reloader(Source(sound, (file,)), took.append, Metrics()).watch(0.01))
        await asyncio.sleep(0.2)
        assert took == []
        file.write_text("ab")
        for _ in range(300):
            await asyncio.sleep(0.01)
            if took:
                break
        watching.cancel()

    asyncio.run(scene())
    assert len(took) == 1

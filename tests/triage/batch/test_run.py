"""Rows through the triager: order, errors in place, bounded chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from triage.batch import run
from triage.batch.atomic import OutputError
from triage.batch.journal import Journal
from triage.batch.local import Local
from triage.batch.read import open_sources
from triage.batch.report.options import ReportOptions
from triage.batch.rows import Row
from triage.batch.shards import Shards
from triage.case import Case
from triage.errors import InputError
from triage.result import RowError


def _rows(count: int) -> Iterator[Row]:
    for number in range(count):
        if number % 3 == 1:
            yield RowError(str(number), "bad_input", "")
        else:
            yield Case(id=str(number), text="boom" if number % 3 == 2 else "没人管")


class Rows:
    """A source of rows that says how many were taken."""

    path, size, fraction = Path("rows"), 1, 0.0

    def __init__(self, rows: Iterator[Row]):
        self._rows = rows
        self.taken = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.taken += 1
            yield row


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    found = Journal.beside(tmp_path / "o.jsonl")
    found.begin({"inputs": []})
    return found


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 50])
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_order_is_kept(fake_triager: Any, journal: Journal, count: int, batch_size: int) -> None:
    shards = list(Local(fake_triager)(Shards([Rows(_rows(count))], batch_size), journal))
    answers = [answer for _, shard in shards for answer in shard]
    assert [answer.id for answer in answers] == [str(number) for number in range(count)]
    assert [getattr(answer, "code", "ok") for answer in answers[:3]] == ["ok", "bad_input", "stage_failed"][:count]
    assert [row.id for shard, _ in shards for row in shard.rows] == [answer.id for answer in answers]


def test_rows_are_read_as_needed(fake_triager: Any, journal: Journal) -> None:
    rows = Rows(_rows(10_000))
    next(Local(fake_triager)(Shards([rows], batch_size=2), journal))
    assert rows.taken == 32


def _input(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".xlsx"])
def test_no_identifier_leaves(tmp_path: Path, fake_triager: Any, suffix: str) -> None:
    source = _input(tmp_path, '{"id": "T-1", "text": "没人管,打13800138000找我,不然打12315"}')
    outputs = run.Outputs(tmp_path / f"o{suffix}", ReportOptions((tmp_path / "r.html",)))
    tally = run.score(fake_triager, open_sources([source], {}), outputs)
    assert tally.flagged["report"] == 1
    written = (
        str(list(openpyxl.load_workbook(outputs.out).active.values))
        if suffix == ".xlsx"
        else outputs.out.read_text("utf-8")
    )
    for text in (written, (tmp_path / "r.html").read_text("utf-8")):
        assert "13800138000" not in text
        assert "[手机号]" in text


def test_failed_rows_are_in_the_output(tmp_path: Path, fake_triager: Any) -> None:
    source = _input(tmp_path, '{"text": "boom"}', "{", '{"text": "谢谢"}')
    tally = run.score(fake_triager, open_sources([source], {}), run.Outputs(tmp_path / "o.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text("utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["row-1", "row-2", "row-3"]
    assert [line.get("error", {}).get("code") for line in lines] == ["stage_failed", "bad_input", None]
    assert (tally.contacts, tally.done, tally.failed.total()) == (3, 1, 2)


def test_input_that_breaks_midway_leaves_nothing(tmp_path: Path, fake_triager: Any) -> None:
    sources = open_sources([_input(tmp_path, '{"text": "谢谢"}')], {})
    sources[0].path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        run.score(fake_triager, sources, run.Outputs(tmp_path / "o.jsonl", ReportOptions((tmp_path / "r.html",))))
    assert list(tmp_path.iterdir()) == []


def test_outputs_are_checked(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    table = {
        run.Outputs(tmp_path / "o.pdf"): "written are .jsonl",
        run.Outputs(out, ReportOptions((tmp_path / "r.html", tmp_path / "r.html"))): "or another output",
        run.Outputs(out, ReportOptions((tmp_path / "r.pdf",))): "allowed are .html .htm .xlsx",
        run.Outputs(out, ReportOptions((), previous=out)): "belongs to a report",
        run.Outputs(tmp_path / "in.jsonl"): "must not be an input",
    }
    for outputs, message in table.items():
        with pytest.raises(OutputError, match=message):
            outputs.check([tmp_path / "in.jsonl"])

"""`triage data check` of files to score: what was guessed, how to confirm it, and nothing private on the screen."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from triage.batch.columns import parse_mapping
from triage.batch.console import previewed
from triage.batch.preview import mapping_words, preview
from triage.batch.read import open_sources

TURNS = (
    "通话编号,角色,发言内容,序号,备注\nC-1,坐席012,您好,1,x\nC-1,王女士,没人管打13800138000,2,y\nC-2,客户,查话费,1,\n"
)
PROGRAM = "import sys; from triage.cli import main; main()"


@pytest.fixture
def turns(tmp_path: Path) -> Path:
    path = tmp_path / "turns.csv"
    path.write_text(TURNS, "utf-8")
    return path


def test_what_is_found(turns: Path) -> None:
    (source,) = open_sources([turns], {})
    found = preview(source, 100)
    assert found.form == "one turn a row"
    assert found.columns == {"id": "通话编号", "speaker": "角色", "text": "发言内容", "order": "序号"}
    assert found.ignored == ["备注"]
    assert found.examples["text"] == ["您好", "没人管打[手机号]"]
    assert found.speakers == {"坐席012": "agent", "王女士": "unknown", "客户": "customer"}
    assert (found.cases, found.failed, dict(found.voices)) == (2, 0, {"agent": 1, "unknown": 1, "customer": 1})


def test_the_words_to_confirm_give_the_same_columns(turns: Path) -> None:
    (source,) = open_sources([turns], {})
    words = shlex.split(mapping_words(preview(source, 1).columns))
    (again,) = open_sources([turns], parse_mapping([word for word in words if word != "--map"]))
    assert preview(again, 1).columns == preview(source, 1).columns


def test_rows_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,没人管\n2,\n", "utf-8")
    (source,) = open_sources([path], {})
    found = preview(source, 100)
    assert (found.cases, found.failed, [bad.id for bad in found.failures]) == (1, 1, ["2"])


def test_transcripts_have_no_columns(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("客服：您好\n客户：没人管", "utf-8")
    (source,) = open_sources([tmp_path], {})
    found = preview(source, 100)
    assert (found.form, found.columns, found.cases) == ("one call a file", {}, 1)


def test_markup_and_control_characters_are_shown_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("[red]id,text\n[bold]1[/bold],\x1b[31m没人管[/]\n", "utf-8")
    (source,) = open_sources([path], {})
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(previewed(preview(source, 10)))
    shown = console.export_text()
    assert "[red]id" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(("content", "code"), [(TURNS, 0), ("id,text\n1,\n", 1), ("姓名\n张三\n", 2)])
def test_command(tmp_path: Path, content: str, code: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, "utf-8")
    program = f"{PROGRAM[:-6]}\ntry: main()\nfinally: assert not {{'torch', 'sklearn', 'scipy'}} & set(sys.modules)"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program, "data", "check", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert "13800138000" not in done.stdout

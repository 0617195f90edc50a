"""The command line: exit codes, one-line errors, and what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from triage import cli
from triage.errors import ArtefactError

GOOD = '{"id": "T-1", "text": "没人管,打13800138000"}'


@pytest.fixture
def command(fake_triager: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(cli, "load_triager", lambda *_: fake_triager)
    monkeypatch.setenv("COLUMNS", "120")
    runner = CliRunner()
    return lambda *words, **more: runner.invoke(cli.app, list(map(str, words)), catch_exceptions=False, **more)


def _input(tmp_path: Path, *lines: str, name: str = "in.jsonl") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.mark.parametrize(("lines", "code"), [((GOOD,), 0), ((GOOD, "{"), 1), (("{",), 1)])
def test_score_exit_code(tmp_path: Path, command: Any, lines: tuple[str, ...], code: int) -> None:
    out, report = tmp_path / "o.csv", tmp_path / "r.html"
    run = command("score", _input(tmp_path, *lines), "-o", out, "--report", report)
    assert run.exit_code == code
    assert out.exists()
    assert report.exists()
    assert "处理失败" in run.stdout
    assert run.stderr == ""


def test_quiet_is_quiet(tmp_path: Path, command: Any) -> None:
    run = command("score", _input(tmp_path, GOOD), "-o", tmp_path / "o.jsonl", "-q")
    assert (run.exit_code, run.output) == (0, "")


def test_map_is_repeatable(tmp_path: Path, command: Any) -> None:
    source = _input(tmp_path, "原话,号", "没人管,7", name="in.csv")
    run = command("score", source, "-o", tmp_path / "o.jsonl", "--map", "text=原话", "--map", "id=号", "-q")
    assert run.exit_code == 0
    assert json.loads((tmp_path / "o.jsonl").read_text("utf-8"))["id"] == "7"


UNUSABLE = {
    "missing input": (["none.jsonl", "-o", "o.csv"], "none.jsonl"),
    "unknown kind of output": (["in.jsonl", "-o", "o.pdf"], "written are .jsonl"),
    "output is the input": (["in.jsonl", "-o", "in.jsonl"], "must not be an input"),
    "report is the output": (["in.jsonl", "-o", "o.xlsx", "--report", "o.xlsx"], "another output"),
    "unknown kind of report": (["in.jsonl", "-o", "o.csv", "--report", "o.pdf"], "allowed are .html"),
    "output folder": (["in.jsonl", "-o", "none/o.csv"], "does not exist"),
    "bad mapping": (["in.jsonl", "-o", "o.csv", "--map", "text"], "FIELD=COLUMN"),
    "no column": (["in.csv", "-o", "o.csv"], "columns found: 姓名"),
    "no cases a batch": (["in.jsonl", "-o", "o.csv", "--batch-size", "0"], "--batch-size"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_unusable_is_one_line(tmp_path: Path, command: Any, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    _input(tmp_path, GOOD)
    _input(tmp_path, "姓名", "张三", name="in.csv")
    words, message = UNUSABLE[kind]
    run = command("score", *words)
    assert run.exit_code == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert len(run.stderr.splitlines()) == 1 or run.stderr.startswith("Usage")
    assert not (tmp_path / "o.csv").exists()


def test_unusable_model_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(model: Path | None, policy: Path | None) -> None:
        raise ArtefactError(f"{model} with {policy}:\nno manifest")

    monkeypatch.setattr(cli, "load_triager", refuse)
    environment = {"TRIAGE_MODEL": "m", "TRIAGE_POLICY": "p"}
    for words in (["score", str(_input(tmp_path, GOOD)), "-o", str(tmp_path / "o.csv")], ["explain", "x"], ["info"]):
        run = CliRunner().invoke(cli.app, words, env=environment)
        assert (run.exit_code, run.stderr) == (2, "triage: m with p:; no manifest\n")


def test_explain_shows_words_masked_and_as_they_are(command: Any) -> None:
    run = command("explain", "[bold]没人管[/bold],打12315,电话13800138000\x1b[31m")
    assert run.exit_code == 0
    for words in ("[bold]没人管[/bold]", "〔扬言找监管部门〕", "[手机号]", "重大危机", "投诉专席", "80%"):
        assert words in run.stdout
    assert "13800138000" not in run.stdout
    assert "\x1b[31m" not in run.stdout


def test_explain_cuts_no_text(command: Any) -> None:
    run = command("explain", "差" * 500)
    assert run.stdout.count("差") == 500


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_explain_reads_standard_input(command: Any, encoding: str) -> None:
    run = command("explain", "-", "--json", input="没人管".encode(encoding))
    assert json.loads(run.stdout)["complaint_type"]["label"] == "service"


def test_explain_reads_a_file(tmp_path: Path, command: Any) -> None:
    case = {"id": "T-9", "turns": [{"speaker": "customer", "text": "行吧"}, {"speaker": "agent", "text": "好的"}]}
    path = _input(tmp_path, json.dumps(case, indent=2), name="case.json")
    assert "客服" in command("explain", "--file", path).stdout
    assert json.loads(command("explain", "--json", "--file", path).stdout)["id"] == "T-9"


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        ([], b"", "either a text"),
        (["x", "--file", "y"], b"", "either a text"),
        ([""], b"", "text is empty"),
        (["差" * 50_001], b"", "50000 characters"),
        (["-"], b"", "text is empty"),
        (["-"], b"\xff\xff\xff", "UTF-8 and GB18030"),
        (["-"], b"x" * 4_000_001, "4000000 bytes"),
        (["--file", "none.json"], b"", "No such file"),
        (["--file", __file__], b"", "not complete JSON"),
    ],
)
def test_explain_refuses(command: Any, words: list[str], stdin: bytes, message: str) -> None:
    run = command("explain", *words, input=stdin)
    assert run.exit_code == 2
    assert message in run.stderr


def test_info(command: Any) -> None:
    run = command("info")
    assert run.exit_code == 0
    for words in ("fake", "complaints-1", "metrics.dev.complaint_type", "0.8125", "risk_tier", "特级恶性"):
        assert words in run.stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['triage', '--help']\nimport triage.cli\n"
        "try: triage.cli.main()\nexcept SystemExit: pass\n"
        "heavy = {'onnxruntime', 'torch', 'transformers', 'openpyxl', 'numpy', 'jinja2', 'opencc'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    for name in ("score", "explain", "info"):
        assert name in done.stdout


def test_a_defect_is_no_answer_and_tells_no_words(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    words = "打13800138000"

    def broken(*_: object) -> None:
        raise RuntimeError(words)

    monkeypatch.setattr("triage.cli.load_triager", broken)
    monkeypatch.setattr(sys, "argv", ["triage", "info"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 70
    stderr = capsys.readouterr().err
    assert "RuntimeError" in stderr
    assert "13800138000" not in stderr


def test_what_the_machine_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "out.jsonl")

    monkeypatch.setattr("triage.cli.load_triager", full)
    monkeypatch.setattr(sys, "argv", ["triage", "info"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "triage: No space left on device: out.jsonl\n"


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")

    monkeypatch.setattr("triage.cli.load_triager", missing)
    answer = CliRunner().invoke(cli.app, ["info"])
    assert answer.exit_code == 2
    assert "needs 'sklearn'" in answer.stderr

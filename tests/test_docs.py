"""The README is executed: Python blocks run, `triage` commands succeed, figures are those of the model card."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "README.zh-CN.md")
BLOCK = re.compile(r"```(?P<language>\w+)\n(?P<code>.*?)```", re.S)
# They take minutes to hours, have tests of their own, or read files of the reader's.
NOT_RUN = ("triage train", "triage evaluate", "triage compare", "triage promote", "triage data", "九月工单", "通话.csv")


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (page, block["code"])
        for page in PAGES
        for block in BLOCK.finditer((ROOT / page).read_text("utf-8"))
        if block["language"] == language
    ]


def commands() -> list[str]:
    lines = [line.partition("#")[0].strip() for _, code in blocks("sh") for line in code.splitlines()]
    wanted = [line for line in lines if line.startswith("triage ") and not any(part in line for part in NOT_RUN)]
    return list(dict.fromkeys(wanted))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder in which the relative paths of the README hold."""
    for name in ("models", "data"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.parametrize(("page", "code"), blocks("python"))
def test_python_blocks_run(page: str, code: str, clone: Path) -> None:
    run = subprocess.run([sys.executable, "-c", code], cwd=clone, capture_output=True, text=True, check=False)  # noqa: S603
    assert run.returncode == 0, f"{page}: {run.stderr}"
    assert run.stdout


@pytest.mark.parametrize("command", commands())
def test_commands_run(command: str, clone: Path) -> None:
    program = [sys.executable, "-c", "from triage.cli import main; main()"]
    run = subprocess.run(  # noqa: S603
        [*program, *shlex.split(command)[1:]], cwd=clone, capture_output=True, text=True, check=False
    )
    assert run.returncode in (0, 1), run.stderr
    assert run.stdout


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!http|#)([^)#]+)", (ROOT / page).read_text("utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_figures_are_those_of_the_model(page: str) -> None:
    from training.tables import readme_table

    figures = json.loads((ROOT / "models" / "default" / "metrics.json").read_text("utf-8"))
    text = (ROOT / page).read_text("utf-8")
    shown = re.search(r"<!-- figures -->\n(.*?)\n<!-- /figures -->", text, re.S)
    assert shown
    assert shown[1] == readme_table(figures)

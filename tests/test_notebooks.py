"""Every notebook runs from top to bottom in a copy, with few cases; outputs that are committed are small."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LARGEST = 150_000
FEW_CASES = "160"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the paths of a notebook hold, and a kernel that finds the packages of the repository."""
    for name in ("models", "data", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TRIAGE_NOTEBOOK_CASES", FEW_CASES)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return tmp_path


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, clone: Path) -> None:
    nbclient = pytest.importorskip("nbclient", reason="running notebooks needs the 'dev' extra")
    nbformat = pytest.importorskip("nbformat", reason="running notebooks needs the 'dev' extra")
    pytest.importorskip("ipykernel", reason="running notebooks needs the 'dev' extra")
    copy = clone / "notebooks" / path.name
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    notebook = nbformat.read(copy, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(copy.parent)}}).execute()
    shown = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) == sum(cell.cell_type == "code" for cell in notebook.cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_small_and_without_traces_of_a_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text) < LARGEST
    cells = json.loads(text)["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output["output_type"] in ("error", "stream")] == []
    assert re.findall(r"/(?:home|root|work|tmp|Users)/", json.dumps(outputs)) == []

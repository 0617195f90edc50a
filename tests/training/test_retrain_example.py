"""The example of scheduled retraining: its commands work in their order, and it says how they went."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = """
name: weekly
wide: {words: 200, characters: 300}
finetune: {epochs: 1, learning_rate: 0.003, batch_words: 2048, variants: 0}
"""


@pytest.fixture
def site(root: Path, tiny_model: Path, workshop: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of the script: labels from the field without splits, a folder of models, `triage` on the PATH."""
    for name in ("bin", "cases", "models"):
        (tmp_path / name).mkdir()
    shutil.copytree(tiny_model, tmp_path / "models/default")
    worsen(tmp_path / "models/default")
    rows = [json.loads(line) for line in (workshop / "cases.jsonl").read_text("utf-8").splitlines()[:240]]
    lines = [json.dumps({key: row[key] for key in row if key != "split"}, ensure_ascii=False) for row in rows]
    (tmp_path / "cases/field.jsonl").write_text("\n".join(lines), "utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, "utf-8")
    triage = tmp_path / "bin/triage"
    program = "from triage.cli import main; main()"
    triage.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}" "$@"\n', "utf-8")
    triage.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(root),
        **{name.upper(): str(tmp_path / name) for name in ("cases", "models", "work")},
        "RECIPE": str(tmp_path / "recipe.yaml"),
    }


def retrain(root: Path, site: dict[str, str]) -> subprocess.CompletedProcess[str]:
    line = ["bash", str(root / "examples/retrain/retrain.sh")]
    return subprocess.run(line, env=site, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.skipif(shutil.which("flock") is None, reason="the script keeps runs apart with flock of util-linux")
def test_a_run_ends_in_a_refusal_with_reasons_or_in_a_promotion(root: Path, site: dict[str, str]) -> None:
    """The model in use finds no severe case and is far too sure of itself, so any other may take its place if asked."""
    models, cases = Path(site["MODELS"]), Path(site["CASES"])
    refused = retrain(root, {**site, "MARGIN": "1"})
    assert refused.returncode == 1, refused.stderr
    assert "refused: the gain in mean agreement asked for is not shown" in refused.stderr
    assert not (models / "in_use.json").exists()
    (run,) = (one for one in Path(site["WORK"]).iterdir() if one.is_dir())
    assert {one.name for one in run.iterdir()} == {"model", "check.md", "comparison.md", "comparison.json"}
    promoted = retrain(root, {**site, "MARGIN": "-1"})
    assert promoted.returncode == 0, promoted.stderr
    assert "refused" not in promoted.stderr
    assert json.loads((models / "in_use.json").read_text("utf-8"))["now"]["model"].startswith("model-")
    events = [json.loads(line)["event"] for line in (models / "history.jsonl").read_text("utf-8").splitlines()]
    assert events == ["refused", "promoted"]
    (cases / "field.jsonl").write_text('{"id": 1, "labels": {"risk_tier": 99}, "text": "a"}', "utf-8")
    assert retrain(root, {**site, "WORK": site["WORK"] + "-2"}).returncode == 2


def worsen(model: Path) -> None:
    """Give the heads calibrations (the manifest is not hashed) that see no severe case and are sure of all else."""
    manifest = json.loads((model / "manifest.json").read_text("utf-8"))
    for head in manifest["heads"].values():
        head |= {"temperature": 0.01, "weights": []}
    manifest["heads"]["risk_tier"]["bias"] = [0, 0, 0, -99, -99]
    (model / "manifest.json").write_text(json.dumps(manifest), "utf-8")

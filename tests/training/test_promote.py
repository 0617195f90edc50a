"""A model comes into use only if it loses nothing; the one before it is one command away."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from training.registry import Registry
from triage.artefact import sha256
from triage.cli import add_commands, app
from triage.errors import ArtefactError, InputError
from triage.in_use import POINTER, model_folder, read_pointer
from triage.triager import Triager

add_commands()


def copy_of(model: Path, folder: Path, **changes: Any) -> Path:
    """A model folder with other calibrations of its heads: the manifest is not hashed, so the folder stays whole."""
    shutil.copytree(model, folder, copy_function=os.link)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["name"] = folder.name
    for head, change in changes.items():
        manifest["heads"][head] |= change
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return folder


@pytest.fixture(scope="module")
def cases(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dev cases of the repository: 40 severe ones and 40 others."""
    rows = [json.loads(line) for file in sorted((root / "data/cases").glob("*.jsonl")) for line in file.open("rb")]
    dev = [row for row in rows if row["split"] == "dev"]
    severe = [row for row in dev if row["labels"]["risk_tier"] >= 3][:40]
    mild = [row for row in dev if row["labels"]["risk_tier"] < 3][:40]
    path = tmp_path_factory.mktemp("cases") / "cases.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in severe + mild), "utf-8")
    return path


@pytest.fixture
def models(root: Path, tmp_path: Path) -> Path:
    """A folder of models with the shipped one in it."""
    shutil.copytree(root / "models/default", tmp_path / "models/default", copy_function=os.link)
    return tmp_path / "models"


def promote(model: Path, cases: Path, models: Path, margin: float = 0.0) -> Result:
    line = ["promote", str(model), str(cases), "--split", "dev", "--models", str(models), "--margin", str(margin)]
    return CliRunner().invoke(app, line)


def test_an_equal_model_comes_into_use_if_asked_and_goes_back(
    root: Path, models: Path, cases: Path, tmp_path: Path
) -> None:
    new = copy_of(root / "models/default", tmp_path / "new")
    assert model_folder(models) == models / "default"
    refused = promote(new, cases, models)
    assert (refused.exit_code, model_folder(models)) == (1, models / "default")
    assert "the gain in mean agreement asked for is not shown" in refused.stderr
    (models / "history.jsonl").unlink()
    done = promote(new, cases, models, margin=-0.01)
    assert done.exit_code == 0, done.output
    again = promote(new, cases, models, margin=-0.01)
    assert (again.exit_code, "in use already" in again.stderr) == (1, True)
    used = model_folder(models)
    assert used.name.startswith("new-")
    assert Triager.load(models).info["name"] == "new"
    assert Triager.load(models / "default").info["name"] == "default"
    assert CliRunner().invoke(app, ["promote", "--rollback", "--models", str(models)]).exit_code == 0
    assert model_folder(models) == models / "default"
    again = CliRunner().invoke(app, ["promote", "--rollback", "--models", str(models)])
    assert again.exit_code == 2
    events = [json.loads(line) for line in (models / "history.jsonl").read_text("utf-8").splitlines()]
    assert [event["event"] for event in events] == ["promoted", "refused", "rolled back"]
    assert events[0]["evidence"]["data"].keys() == {"cases.jsonl"}
    assert events[0]["lineage"]["cases"]


def blind(folder: Path) -> Path:
    return copy_of(folder, folder.parent.parent / "blind", risk_tier={"bias": [0, 0, 0, -9, -9]})


def overconfident(folder: Path) -> Path:
    heads = ("complaint_type", "motive", "dissatisfaction", "emotion")
    return copy_of(folder, folder.parent.parent / "loud", **{head: {"temperature": 0.05, "bias": ()} for head in heads})


def unmeasured(folder: Path) -> Path:
    copy = copy_of(folder, folder.parent.parent / "unmeasured")
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    del manifest["files"]["metrics.json"]
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return copy


def relabelled(folder: Path) -> Path:
    copy = copy_of(folder, folder.parent.parent / "relabelled")
    taxonomy = yaml.safe_load((copy / "taxonomy.yaml").read_text("utf-8"))
    next(head for head in taxonomy["heads"] if head["name"] == "motive")["labels"][1]["code"] = "shouting"
    (copy / "taxonomy.yaml").unlink()
    (copy / "taxonomy.yaml").write_text(yaml.safe_dump(taxonomy, allow_unicode=True), "utf-8")
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    manifest["files"]["taxonomy.yaml"] = sha256(copy / "taxonomy.yaml")
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return copy


def with_figures(folder: Path, **means: float) -> Path:
    """A copy whose own evaluation says that model and baseline agree so well with the labels."""
    return resealed(folder, {"systems": {name: {"motive": {"kappa": mean}} for name, mean in means.items()}})


def resealed(folder: Path, figures: dict[str, Any]) -> Path:
    """The folder with other figures of its own."""
    (folder / "metrics.json").unlink()
    (folder / "metrics.json").write_text(json.dumps(figures), "utf-8")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"]["metrics.json"] = sha256(folder / "metrics.json")
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return folder


@pytest.mark.parametrize(("tfidf", "exit_code"), [(0.5, 0), (0.7, 1)])
def test_the_first_model_has_tfidf_to_beat(
    root: Path, cases: Path, tmp_path: Path, tfidf: float, exit_code: int
) -> None:
    model = with_figures(copy_of(root / "models/default", tmp_path / "new"), model=0.6, tfidf=tfidf)
    done = promote(model, cases, tmp_path / "models")
    assert done.exit_code == exit_code, done.output
    assert ("TF-IDF with logistic regression has 0.700" in done.stderr) == bool(exit_code)


def test_a_head_that_was_not_measured_does_not_count_against_the_first(root: Path, cases: Path, tmp_path: Path) -> None:
    model = copy_of(root / "models/default", tmp_path / "new")
    with_figures(model, model=0.6, tfidf=0.5)
    figures = json.loads((model / "metrics.json").read_text("utf-8"))
    for system in figures["systems"].values():
        system["emotion"] = {"kappa": float("nan")}
    assert promote(resealed(model, figures), cases, tmp_path / "models").exit_code == 0


def test_without_severe_cases_nothing_comes_into_use(models: Path, cases: Path, tmp_path: Path) -> None:
    mild = tmp_path / "mild.jsonl"
    mild.write_text("\n".join(cases.read_text("utf-8").splitlines()[40:]), "utf-8")
    done = promote(copy_of(models / "default", tmp_path / "new"), mild, models, margin=-0.01)
    assert done.exit_code == 1
    assert "severe recall was not measured" in done.stderr


REFUSED: list[tuple[Callable[[Path], Path], str]] = [
    (blind, "severe recall is lost"),
    (overconfident, "calibration is lost"),
    (unmeasured, "without an evaluation"),
    (relabelled, "differ in motive"),
]


@pytest.mark.parametrize(("worse", "reason"), REFUSED, ids=[worse.__name__ for worse, _ in REFUSED])
def test_a_worse_model_is_refused(models: Path, cases: Path, worse: Callable[[Path], Path], reason: str) -> None:
    done = promote(worse(models / "default"), cases, models)
    assert done.exit_code == 1, done.output
    assert reason in done.stderr
    assert read_pointer(models) is None
    assert json.loads((models / "history.jsonl").read_text("utf-8"))["event"] == "refused"


def test_the_pointer_must_name_what_was_promoted(models: Path, tmp_path: Path) -> None:
    registry = Registry(models)
    used = registry.use(copy_of(models / "default", tmp_path / "other"), {})
    assert [version.in_use for version in registry.versions()].count(True) == 1
    with (used.folder / "manifest.json").open("a") as manifest:
        manifest.write(" ")
    with pytest.raises(ArtefactError, match=r"not the model that was promoted.*--rollback"):
        Triager.load(models)
    shutil.rmtree(used.folder)
    with pytest.raises(ArtefactError, match=f"{used.folder}, the model in use, is missing; .*--rollback"):
        Triager.load(models)
    assert registry.roll_back().folder == models / "default"
    assert Triager.load(models).info["name"] == "default"
    (models / POINTER).write_text("{", "utf-8")
    with pytest.raises(ArtefactError, match="cannot be read"):
        Triager.load(models)


def test_with_nothing_before_a_missing_model_gives_way_to_the_shipped_one(root: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    registry = Registry(models)
    used = registry.use(copy_of(root / "models/default", tmp_path / "other"), {})
    with pytest.raises(InputError, match=r"no earlier model to go back to$"):
        registry.roll_back()
    shutil.rmtree(used.folder)
    with pytest.raises(InputError, match=f"put {used.folder.name} back, or remove in_use.json"):
        registry.roll_back()
    copy_of(root / "models/default", models / "default")
    assert registry.roll_back().folder == model_folder(models) == models / "default"
    manifest = models / "default" / "manifest.json"
    changed = manifest.read_bytes() + b" "
    manifest.unlink()  # a link to the shipped one
    manifest.write_bytes(changed)
    with pytest.raises(InputError, match="put default back"):
        registry.roll_back()


def test_a_model_that_cannot_be_opened_is_left_out_of_the_versions(models: Path) -> None:
    copy_of(models / "default", models / "whole")
    broken = copy_of(models / "default", models / "broken")
    (broken / "wide.npz").unlink()
    done = CliRunner().invoke(app, ["versions", "--models", str(models)])
    assert done.exit_code == 0, done.output
    assert [line.split(" | ")[1] for line in done.stdout.splitlines()[2:]] == ["default", "whole"]
    assert "severe recall" in CliRunner().invoke(app, ["versions", "--help"]).stdout


def test_promoting_needs_cases(models: Path) -> None:
    done = CliRunner().invoke(app, ["promote", str(models / "default"), "--models", str(models)])
    assert done.exit_code == 2

"""From a recipe to a model folder that serves, in seconds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import yaml

from triage.artefact import open_artefact
from triage.errors import ArtefactError, InputError, SettingsError
from triage.policy import DEFAULT_POLICY
from triage.taxonomy import DEFAULT_TAXONOMY
from triage.triager import Triager

CORRUPTIONS = [
    ("no manifest", lambda folder: (folder / "manifest.json").unlink(), "no manifest.json"),
    ("half a manifest", lambda folder: _cut(folder / "manifest.json"), "not readable JSON"),
    ("another format", lambda folder: _edit(folder, format=99), "given 99"),
    ("unknown key", lambda folder: _edit(folder, pickle="model.pkl"), "pickle"),
    ("one byte changed", lambda folder: _flip(folder / "model.onnx"), "model.onnx is not the one that was saved"),
    ("tokenizer missing", lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json is listed"),
    ("taxonomy changed", lambda folder: _flip(folder / "taxonomy.yaml"), "taxonomy.yaml is not the one"),
]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _edit(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def make(workshop: Path, out: Path, **changes: Any) -> None:
    """The job of `tiny_model` with these changes."""
    from training.make import make_model

    job: dict[str, Any] = {
        "recipe_path": workshop / "recipe.yaml",
        "taxonomy_path": None,
        "data": workshop / "data",
        "cases": [workshop / "cases.jsonl"],
        "build": workshop / "build",
        "readings": [workshop / "readings.jsonl"],
    }
    make_model(out=out, **job | changes)


class Stopped(Exception):
    """Far enough for this test."""


def stop(*given: Any, **_: Any) -> None:
    raise Stopped(*given)


def test_the_folder_serves(tiny_model: Path) -> None:
    result = Triager.load(tiny_model)("我打了三次电话都没人管,你们到底想怎么样?")
    assert set(result.to_dict()["complaint_type"]["scores"]) == {"none", "service", "product", "policy", "other"}
    assert sum(result.risk_tier.scores.values()) == pytest.approx(1, abs=1e-6)


def test_the_card_carries_the_measured_figures(tiny_model: Path) -> None:
    card = (tiny_model / "README.md").read_text("utf-8")
    figures = json.loads((tiny_model / "metrics.json").read_text("utf-8"))
    assert set(figures["systems"]) == {"model", "tfidf", "majority"}
    assert f"{figures['systems']['tfidf']['motive']['kappa']:.2f}" in card
    assert "research" in card
    assert figures["cases"] > 20


def test_lineage_names_recipe_and_data(tiny_model: Path) -> None:
    lineage = open_artefact(tiny_model).manifest.lineage
    assert lineage["recipe"]["name"] == "tiny"
    assert set(lineage["cases"]) == {"cases.jsonl", "research.jsonl", "readings.jsonl"}
    assert lineage["parity"] < 1e-3
    assert 0 < lineage["eight_bit_mean"] <= lineage["eight_bit_largest"]


@pytest.mark.usefixtures("tiny_model")
def test_a_reading_weighs_what_the_recipe_says(workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.make.network", stop)
    monkeypatch.setattr("training.make.claim", lambda *_: None)  # the encoder of the other recipe will do
    recipe = (workshop / "recipe.yaml").read_text("utf-8").replace("finetune: {", "finetune: {readings_weight: 0.5, ")
    (tmp_path / "recipe.yaml").write_text(recipe, "utf-8")
    with pytest.raises(Stopped) as stopped:
        make(workshop, tmp_path / "model", recipe_path=tmp_path / "recipe.yaml")
    *labelled, read = (example.weight for example in stopped.value.args[2])
    assert (set(labelled), read) == ({1.0}, 0.5)


@pytest.mark.usefixtures("tiny_model")
def test_the_same_job_goes_on_with_what_was_finished(
    workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(*_: Any) -> None:
        raise AssertionError("this was finished")

    for stage in ("prepare_text", "pretrain", "train"):
        monkeypatch.setattr(f"training.fit.{stage}", again)
    monkeypatch.setattr("training.make.calibration", stop)
    with pytest.raises(Stopped):
        make(workshop, tmp_path / "model")


def other_recipe(workshop: Path, folder: Path) -> dict[str, Any]:
    recipe = (workshop / "recipe.yaml").read_text("utf-8").replace("epochs: 2,", "epochs: 3,")
    (folder / "recipe.yaml").write_text(recipe, "utf-8")
    return {"recipe_path": folder / "recipe.yaml"}


def other_cases(workshop: Path, folder: Path) -> dict[str, Any]:
    lines = (workshop / "cases.jsonl").read_text("utf-8").splitlines()
    (folder / "cases.jsonl").write_text("\n".join(lines[1:]), "utf-8")
    return {"cases": [folder / "cases.jsonl"]}


def other_passages(workshop: Path, folder: Path) -> dict[str, Any]:
    shutil.copytree(workshop / "data", folder / "data")
    with (folder / "data/plain.txt").open("a", encoding="utf-8") as passages:
        passages.write("\n一段新的文字")
    return {"data": folder / "data"}


def other_licences(_workshop: Path, _folder: Path) -> dict[str, Any]:
    return {"permissive_only": True}


@pytest.mark.usefixtures("tiny_model")
@pytest.mark.parametrize("change", [other_recipe, other_cases, other_passages, other_licences])
def test_a_build_folder_of_other_work_is_refused(
    workshop: Path, tmp_path: Path, change: Callable[[Path, Path], dict[str, Any]]
) -> None:
    with pytest.raises(InputError, match="holds work of other data, another recipe or start"):
        make(workshop, tmp_path / "model", **change(workshop, tmp_path))


def test_a_build_folder_that_nobody_claimed_must_be_empty(tmp_path: Path) -> None:
    from training.fit import claim

    (tmp_path / "network-final.safetensors").touch()
    with pytest.raises(InputError, match="holds work"):
        claim(tmp_path, {"recipe": "a"})
    claim(tmp_path / "empty", {"recipe": "a"})
    claim(tmp_path / "empty", {"recipe": "a"})


EXTRA = {
    "table.csv": "\n".join(
        (
            "id,text,split,risk_tier,customer_key",
            "1,甲乙丙训练,训练,0,",
            "2,甲乙丙测试,test,0,",
            "3,甲乙丙验证,dev,0,k",
        )
    ),
    "lines.ndjson": "\n".join(
        json.dumps({"labels": {"risk_tier": 0}, **row}, ensure_ascii=False)
        for row in (
            {"id": "4", "text": "丁戊己训练", "turns": None, "split": "training"},
            {"id": "5", "text": "丁戊己测试", "split": "test"},
            {"id": "6", "text": "丁戊己验证", "customer_key": "k"},
            {"id": "7", "turns": [{"speaker": "agent", "text": "庚辛"}, {"speaker": "customer", "text": "壬癸"}]},
        )
    ),
}


def test_pre_training_reads_the_training_cases_only(
    workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever kind of file they lie; without a split, they have that of their customer."""
    for name, content in EXTRA.items():
        (tmp_path / name).write_text(content, "utf-8")
    monkeypatch.setattr("training.pretrain.build_tokenizer", stop)
    cases = [workshop / "cases.jsonl", *(tmp_path / name for name in EXTRA)]
    with pytest.raises(Stopped) as stopped:
        make(workshop, tmp_path / "model", cases=cases, build=tmp_path / "build")
    read = {"".join(words) for words in stopped.value.args[0]}
    ours = {text for text in read if text.startswith(("甲乙丙", "丁戊己", "庚辛"))}
    assert ours == {"甲乙丙训练", "丁戊己训练", "庚辛壬癸"}


def no_dev(workshop: Path, folder: Path) -> dict[str, Any]:
    lines = [line for line in (workshop / "cases.jsonl").read_text("utf-8").splitlines() if '"dev"' not in line]
    (folder / "cases.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "recipe.yaml").write_text((workshop / "recipe.yaml").read_text("utf-8").rsplit("  - ", 1)[0], "utf-8")
    return {"cases": [folder / "cases.jsonl"], "recipe_path": folder / "recipe.yaml"}


def unlabelled_head(_workshop: Path, folder: Path) -> dict[str, Any]:
    taxonomy = yaml.safe_load(DEFAULT_TAXONOMY.read_text("utf-8"))
    taxonomy["heads"].append({**taxonomy["heads"][0], "name": "unlabelled"})
    (folder / "taxonomy.yaml").write_text(yaml.safe_dump(taxonomy, allow_unicode=True), "utf-8")
    return {"taxonomy_path": folder / "taxonomy.yaml"}


def other_policy(_workshop: Path, folder: Path) -> dict[str, Any]:
    policy = DEFAULT_POLICY.read_text("utf-8").replace("tier_head: risk_tier", "tier_head: motive")
    (folder / "policy.yaml").write_text(policy, "utf-8")
    return {"policy": folder / "policy.yaml"}


UNUSABLE = [
    (no_dev, InputError, "needs two labels in training and a dev case"),
    (unlabelled_head, InputError, r"unlabelled needs two labels.*given {} and 0 dev cases"),
    (other_policy, SettingsError, "policy .*motive"),
]


@pytest.mark.parametrize(("change", "error", "message"), UNUSABLE, ids=[row[0].__name__ for row in UNUSABLE])
def test_what_cannot_work_is_said_before_pre_training(
    workshop: Path,
    tmp_path: Path,
    change: Callable[[Path, Path], dict[str, Any]],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        make(workshop, tmp_path / "model", build=tmp_path / "build", **change(workshop, tmp_path))
    assert not (tmp_path / "build").exists()


def test_two_short_training_cases_are_enough_to_evaluate(tiny_model: Path, tmp_path: Path) -> None:
    rows = [("1", "退钱", "train", 3), ("2", "谢谢", "train", 0), ("3", "谢谢退钱", "dev", 0)]
    given = [{"id": i, "text": text, "split": split, "labels": {"risk_tier": tier}} for i, text, split, tier in rows]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, given)), "utf-8")
    from training.make import measure

    figures = measure(tiny_model, None, [tmp_path / "cases.jsonl"], "dev")
    assert set(figures["systems"]) == {"model", "tfidf", "majority"}
    assert figures["systems"]["tfidf"]["risk_tier"]["cases"] == 1


def test_a_baseline_needs_words() -> None:
    from training.baseline import Baseline
    from training.cases import LabelledCase
    from triage.case import Case
    from triage.segment import Segmenter
    from triage.taxonomy import load_taxonomy

    wordless = LabelledCase(Case.from_text("\u200b"), {"risk_tier": 0})
    with pytest.raises(InputError, match="cases with words are needed; given 1 without any"):
        Baseline(load_taxonomy(), Segmenter()).fit([wordless])


def test_weights_are_stored_once(tiny_model: Path, tmp_path: Path) -> None:
    assert (tiny_model / "model.onnx").stat().st_size < (tiny_model / "model.safetensors").stat().st_size + 300_000
    shutil.copy(tiny_model / "model.onnx", tmp_path)
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.Fail, match="External data"):
        onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])


def test_transformers_opens_the_encoder(tiny_model: Path) -> None:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(tiny_model)
    assert model.config.model_type == "roformer"
    assert float(model.embeddings.word_embeddings.weight.detach().abs().sum()) > 0


def test_an_existing_folder_is_not_overwritten(workshop: Path, tiny_model: Path) -> None:
    with pytest.raises(InputError, match="does not exist yet"):
        make(workshop, tiny_model)


def test_permissive_licences_leave_research_sources_out(workshop: Path) -> None:
    from training.recipe import load_recipe

    recipe = load_recipe(workshop / "recipe.yaml")
    assert [one.path for one in recipe.of_kind("cases")] == ["research.jsonl"]
    assert recipe.of_kind("cases", permissive_only=True) == []


def test_an_unknown_recipe_key_names_its_line(workshop: Path, tmp_path: Path) -> None:
    from training.recipe import load_recipe

    path = tmp_path / "recipe.yaml"
    path.write_text((workshop / "recipe.yaml").read_text("utf-8").replace("epochs: 2,", "epoch: 2,"), "utf-8")
    with pytest.raises(SettingsError, match=r"recipe\.yaml:8: finetune\.epoch"):
        load_recipe(path)


@pytest.mark.parametrize(("change", "message"), [r[1:] for r in CORRUPTIONS], ids=[r[0] for r in CORRUPTIONS])
def test_a_broken_folder_is_refused(tiny_model: Path, tmp_path: Path, change: object, message: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    assert callable(change)
    change(folder)
    with pytest.raises(ArtefactError, match=message):
        Triager.load(folder)


def test_batch_order_changes_nothing(tiny_model: Path) -> None:
    from triage.case import Case

    triager = Triager.load(tiny_model)
    texts = ["投诉你们", "我的快递三天没动了,打电话没人接" * 9, "好的谢谢", "退钱!" * 40]
    cases = [Case.read({"id": str(i), "text": text}) for i, text in enumerate(texts)]
    alone = [triager(case) for case in cases]
    for result, wanted in zip(triager.pipe(reversed(cases)), reversed(alone), strict=True):
        assert result.id == wanted.id
        for head in ("risk_tier", "motive"):
            given, expected = (list(getattr(one, head).scores.values()) for one in (result, wanted))
            assert np.allclose(given, expected, atol=1e-5)

"""From a recipe to a model folder that serves, in seconds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from triage.artefact import open_artefact
from triage.errors import ArtefactError, InputError, SettingsError
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
    from training.make import make_model

    class ExamplesAreReady(Exception):
        pass

    def stop(_shop: object, _encoder: object, examples: list[Any], *_others: object) -> None:
        raise ExamplesAreReady([example.weight for example in examples])

    monkeypatch.setattr("training.make.network", stop)
    recipe = (workshop / "recipe.yaml").read_text("utf-8").replace("finetune: {", "finetune: {readings_weight: 0.5, ")
    (tmp_path / "recipe.yaml").write_text(recipe, "utf-8")
    with pytest.raises(ExamplesAreReady) as stopped:
        make_model(
            tmp_path / "recipe.yaml",
            None,
            workshop / "data",
            [workshop / "cases.jsonl"],
            workshop / "build",
            tmp_path / "model",
            readings=[workshop / "readings.jsonl"],
        )
    *labelled, read = stopped.value.args[0]
    assert (set(labelled), read) == ({1.0}, 0.5)


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
    from training.make import make_model

    with pytest.raises(InputError, match="does not exist yet"):
        make_model(workshop / "recipe.yaml", None, workshop / "data", [workshop / "cases.jsonl"], workshop, tiny_model)


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

"""Labels of one's own over an encoder from elsewhere: six tiers and a new head, trained, served and reported."""

from __future__ import annotations

import json
import logging
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from triage.artefact import open_artefact
from triage.case import Case
from triage.cli import add_commands, app
from triage.errors import InputError, SettingsError
from triage.policy import DEFAULT_POLICY
from triage.taxonomy import DEFAULT_TAXONOMY
from triage.triager import Triager

pytest.importorskip("torch", reason="training needs the 'train' extra")
add_commands()
RECIPES = Path(__file__).parents[2] / "training/recipes"
RECIPE = """
name: own
wide: {words: 200, characters: 300}
finetune: {epochs: 2, patience: 1, learning_rate: 0.003, batch_words: 1024, variants: 0}
"""
DISASTER = 5


@pytest.fixture(scope="module")
def bench(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cases with a sixth tier and a head `sector`, a taxonomy and a policy that know both, a recipe, an encoder."""
    folder = tmp_path_factory.mktemp("bench")
    rows = [json.loads(line) for name in ("a", "b") for line in (root / f"data/cases/set_{name}.jsonl").open("rb")]
    short = [row for row in rows if len(json.dumps(row, ensure_ascii=False)) < 1_500]
    chosen = [row for row in short if row["split"] == "train"][:90] + [row for row in short if row["split"] == "dev"][
        :20
    ]
    for number, row in enumerate(chosen):
        row["labels"] |= {"sector": "telecom" if row["industry"] == "telecom" else "elsewhere"}
        row["labels"]["risk_tier"] = DISASTER if row["labels"]["risk_tier"] == 4 else number % 5
        if number % 7 == 0:
            del row["labels"]["motive"]
    (folder / "cases.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in chosen), "utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, "utf-8")
    _settings(folder)
    _encoder(folder / "encoder", chosen)
    return folder


def _settings(folder: Path) -> None:
    """Another organisation's taxonomy and policy: data, no code."""
    taxonomy = yaml.safe_load(DEFAULT_TAXONOMY.read_text("utf-8"))
    tiers = next(head for head in taxonomy["heads"] if head["name"] == "risk_tier")
    tiers["labels"].append({"code": DISASTER, "zh": "灾难", "en": "disaster"})
    sectors = [
        {"code": "telecom", "zh": "通信", "en": "telecom"},
        {"code": "elsewhere", "zh": "其他行业", "en": "other"},
    ]
    taxonomy["heads"].append({"name": "sector", "kind": "single", "zh": "行业", "en": "sector", "labels": sectors})
    taxonomy["heads"] = [head for head in taxonomy["heads"] if head["name"] != "contact_class"]
    policy = yaml.safe_load(DEFAULT_POLICY.read_text("utf-8"))
    policy["tiers"].append({**policy["tiers"][-1], "code": "S", "name": "灾难", "labels": [DISASTER]})
    policy["tiers"][3]["present_owner_may"] = "pass_on"
    policy["consistency"] = []
    del policy["heads"]["contact_class"]
    policy["advice"] = [one for one in policy["advice"] if one.get("head") != "contact_class"]
    for name, value in (("taxonomy", taxonomy), ("policy", policy)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), "utf-8")


def _encoder(folder: Path, rows: list[dict[str, Any]]) -> None:
    """A BERT of one layer with a WordPiece vocabulary of characters, saved as such encoders lie on the hub."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir()
    characters = sorted({character for row in rows for character in json.dumps(row, ensure_ascii=False)})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(one for one in characters if not one.isspace())]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), "utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(vocabulary), max_position_embeddings=66, **size)).save_pretrained(folder)


def train(bench: Path, out: Path, **options: Path | str) -> Any:
    given = {"base-model": bench / "encoder", "recipe": bench / "recipe.yaml", "build": out.with_name("model.work")}
    line = ["train", str(bench / "cases.jsonl"), "--out", str(out)]
    for name, value in (given | {name.replace("_", "-"): value for name, value in options.items()}).items():
        line += [f"--{name}", str(value)]
    return CliRunner().invoke(app, line)


@pytest.fixture(scope="module")
def model(bench: Path) -> Path:
    own = {"base-model": "encoder", **{name: f"{name}.yaml" for name in ("recipe", "taxonomy", "policy")}}
    more = [word for name, value in own.items() for word in (f"--{name}", value)]
    with chdir(bench), warnings.catch_warnings(record=True) as warned:
        done = CliRunner().invoke(app, ["train", "cases.jsonl", "--out", "build/model", *more])
    assert done.exit_code == 0, done.output
    assert [str(one.message) for one in warned if "incorrect" in str(one.message)] == []
    return bench / "build" / "model"


def test_it_answers_with_the_new_labels(bench: Path, model: Path) -> None:
    triager = Triager.load(model, bench / "policy.yaml")
    result = triager(Case.from_text("你们的宽带断了三天，打12315也没人管"))
    assert set(result.risk_tier.scores) == {"0", "1", "2", "3", "4", "S"}
    assert set(result.sector.scores) == {"telecom", "elsewhere"}
    assert "contact_class" not in result.to_dict()
    for evidence in result.evidence:
        assert evidence.end > evidence.start


def test_it_is_served(bench: Path, model: Path) -> None:
    testclient = pytest.importorskip("fastapi.testclient", reason="serving needs the 'serve' extra")
    from api.app import create_app
    from api.settings import ServiceSettings

    service = create_app(Triager.load(model, bench / "policy.yaml"), ServiceSettings(auth=False))
    with testclient.TestClient(service) as client:
        answer = client.post("/v1/triage", json={"text": "宽带断了三天"}).json()
    assert answer["sector"]["label"] in ("telecom", "elsewhere")
    assert "S" in answer["risk_tier"]["scores"]


def test_it_is_reported(bench: Path, model: Path, tmp_path: Path) -> None:
    source = tmp_path / "contacts.jsonl"
    source.write_text('{"id": "1", "text": "宽带断了三天"}\n{"id": "2", "text": "谢谢"}', "utf-8")
    line = ["score", str(source), "-o", str(tmp_path / "out.xlsx"), "--report", str(tmp_path / "report.html")]
    done = CliRunner().invoke(app, [*line, "--model", str(model), "--policy", str(bench / "policy.yaml")])
    assert done.exit_code == 0, done.output
    assert "行业" in (tmp_path / "report.html").read_text("utf-8")


def test_severe_is_what_the_policy_has_reported(bench: Path, model: Path, tmp_path: Path) -> None:
    """Tiers 4 and 5 of this policy, in the evaluation and in the comparison, of which 5 is grade S."""
    measured = open_artefact(model).metrics["systems"]["model"]["risk_tier"]
    counts = np.array(measured["confusion"])
    assert measured["severe_recall"] == pytest.approx(counts[4:, 4:].sum() / counts[4:].sum())
    line = ["compare", str(model), str(model), str(bench / "cases.jsonl"), "--split", "dev", "-o", str(tmp_path / "c")]
    done = CliRunner().invoke(app, [*line, "--policy", str(bench / "policy.yaml"), "--margin", "-0.01"])
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "c").read_text("utf-8"))
    assert found["comparison"]["severe"]["recall"]["a"] == pytest.approx(measured["severe_recall"])
    assert {miss["wanted"] for miss in found["misses"]} <= {4, DISASTER}


def test_cards_and_lineage_say_where_it_is_from_and_no_word_of_a_case(bench: Path, model: Path) -> None:
    manifest = open_artefact(model).manifest
    assert manifest.lineage["base"]["name"] == "encoder"
    assert manifest.lineage["environment"]["packages"]["torch"]
    assert manifest.window == 64
    card, data = ((model / name).read_text("utf-8") for name in ("README.md", "DATA.md"))
    assert "bert of 1 layers x 16" in card
    assert "Intended use" in card
    rows = [json.loads(line) for line in (bench / "cases.jsonl").read_text("utf-8").splitlines()]
    sectors = Counter(row["labels"]["sector"] for row in rows)
    assert f"| sector | 110 | telecom {sectors['telecom']}, elsewhere {sectors['elsewhere']} |" in data
    said = {turn["text"] for row in rows for turn in row.get("turns", [row]) if len(turn["text"]) > len("谢谢您")}
    assert [words for words in said if words in data or words in card] == []


def test_every_epoch_is_tracked(model: Path) -> None:
    lines = (model.with_name("model.work") / "track.jsonl").read_text("utf-8").splitlines()
    epochs = [event for event in map(json.loads, lines) if event["event"] == "epoch"]
    assert [event["epoch"] for event in epochs] == list(range(len(epochs)))
    assert all(-1 <= event["agreement"] <= 1 for event in epochs)


def test_a_search_given_again_takes_finished_trials_as_they_were(bench: Path, tmp_path: Path) -> None:
    more = {"taxonomy": bench / "taxonomy.yaml", "policy": bench / "policy.yaml", "build": tmp_path / "work"}
    for name in ("once", "again"):
        done = train(bench, tmp_path / name, search="2", seeds="2", **more)
        assert done.exit_code == 0, done.output
    events = [json.loads(line) for line in (tmp_path / "work/track.jsonl").read_text("utf-8").splitlines()]
    once, again = ({**event, "time": ""} for event in events if event["event"] == "search")
    assert once == again
    trained = [(event["run"], event["epoch"]) for event in events if event["event"] == "epoch"]
    assert {run for run, _ in trained} == {"trial-0", "trial-1", "seed-1", "seed-2"}
    assert len(trained) == len(set(trained))


def no_policy(bench: Path) -> dict[str, Path | str]:
    return {"taxonomy": bench / "taxonomy.yaml"}


def no_encoder(bench: Path) -> dict[str, Path | str]:
    return {"base_model": bench / "nothing-here"}


def no_taxonomy(_bench: Path) -> dict[str, Path | str]:
    return {}


def one_label(bench: Path) -> dict[str, Path | str]:
    taxonomy = yaml.safe_load((bench / "taxonomy.yaml").read_text("utf-8"))
    taxonomy["heads"].append({**taxonomy["heads"][-1], "name": "unlabelled"})
    (bench / "more.yaml").write_text(yaml.safe_dump(taxonomy, allow_unicode=True), "utf-8")
    return {"taxonomy": bench / "more.yaml", "policy": bench / "policy.yaml"}


REFUSED: list[tuple[Callable[[Path], dict[str, Path | str]], str]] = [
    (no_policy, "given 'contact_class'; give --policy FILE (or TRIAGE_POLICY) made for taxonomy complaints-1"),
    (no_encoder, "nothing-here, which is no folder here"),
    (no_taxonomy, "give --taxonomy FILE if these are labels of another one"),
    (one_label, "unlabelled needs two labels"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=[options.__name__ for options, _ in REFUSED])
def test_what_cannot_work_is_said_before_training(
    bench: Path, tmp_path: Path, options: Callable[[Path], dict[str, Path | str]], message: str
) -> None:
    done = train(bench, tmp_path / "model", **options(bench))
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
    assert message in done.stderr
    assert not (tmp_path / "model").exists()


def test_a_build_folder_of_other_work_is_refused(bench: Path, model: Path, tmp_path: Path) -> None:
    more = {
        "taxonomy": bench / "taxonomy.yaml",
        "policy": bench / "policy.yaml",
        "build": model.with_name("model.work"),
    }
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("epochs: 2", "epochs: 3"), "utf-8")
    done = train(bench, tmp_path / "model", recipe=tmp_path / "recipe.yaml", **more)
    assert done.exit_code == 2
    assert "another recipe" in done.stderr


def test_a_misspelt_licence_is_refused(bench: Path, tmp_path: Path) -> None:
    done = train(bench, tmp_path / "model", licences="permissve")
    assert done.exit_code == 2, done.output
    assert "'permissve' is not one of 'all', 'permissive'" in done.stderr


INAPPLICABLE: list[tuple[str, dict[str, str], str]] = [
    (
        "own",
        {"corpus": ".", "seeds": "2"},
        "without passages takes no --corpus, --readings, --licences; given --corpus",
    ),
    ("own", {"licences": "all"}, "given --licences"),
    ("default", {"base_model": "models"}, "with passages takes no --base-model, --search, --seeds; given --base-model"),
    ("default", {"search": "3", "seeds": "2", "licences": "all"}, "given --search, --seeds"),
]


@pytest.mark.parametrize(("recipe", "options", "message"), INAPPLICABLE)
def test_an_option_that_would_be_ignored_is_refused(
    bench: Path, tmp_path: Path, recipe: str, options: dict[str, str], message: str
) -> None:
    line = [
        "train",
        str(bench / "cases.jsonl"),
        "--out",
        str(tmp_path / "model"),
        "--recipe",
        str(RECIPES / f"{recipe}.yaml"),
    ]
    more = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    done = CliRunner().invoke(app, [*line, *more])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
    assert done.stderr.endswith(f"{message}\n")


def test_pre_training_gets_every_option_that_is_for_it(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[Any] = []
    monkeypatch.setattr("training.make.make_model", lambda *given: got.extend(given))
    recipe, cases, out = RECIPES / "default.yaml", bench / "cases.jsonl", tmp_path / "model"
    files = {name: tmp_path / name for name in ("taxonomy", "corpus", "readings", "build", "policy")}
    line = ["train", str(cases), "--out", str(out), "--recipe", str(recipe), "--licences", "permissive"]
    done = CliRunner().invoke(
        app, [*line, *(word for name, path in files.items() for word in (f"--{name}", str(path)))]
    )
    assert done.exit_code == 0, done.output
    taxonomy, corpus, readings, build, policy = files.values()
    assert got == [recipe, taxonomy, corpus, [cases], build, out, [readings], True, policy]


@pytest.mark.parametrize("inside", ["", "work"])
def test_a_build_folder_lies_outside_the_model(bench: Path, tmp_path: Path, inside: str) -> None:
    done = train(bench, tmp_path / "model", build=tmp_path / "model" / inside)
    assert done.exit_code == 2
    assert "outside that of --out" in done.stderr


def test_a_name_that_the_hub_does_not_give_is_one_line(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(_name: str, **_: Any) -> None:
        logging.getLogger("huggingface_hub.utils._http").warning("Retrying in 8s")
        raise OSError("no connection\nmore of it")

    monkeypatch.setattr("training.start.AutoModel.from_pretrained", unreachable)
    done = train(bench, tmp_path / "model", base_model="modells")
    assert done.exit_code == 2, done.output
    assert done.stderr.endswith("given modells, which is no folder here: no connection\n")
    assert caplog.text == ""


def test_memory_that_does_not_suffice_is_advice() -> None:
    import torch

    from training.adapt import memory_advice
    from training.recipe import FinetuneStage

    with pytest.raises(SettingsError, match=r"batch_words.*4096.*halve"), memory_advice(FinetuneStage()):
        raise torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(InputError), memory_advice(FinetuneStage()):
        raise InputError("something else")

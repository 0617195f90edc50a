"""A model folder from a recipe, and its figures: the stages of `training.fit` in one visible sequence."""

from __future__ import annotations

import datetime
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.baseline import Baseline
from training.card import write_card
from training.cases import LabelledCase, read_cases
from training.evaluate import (
    answers_of_scores,
    answers_of_triager,
    by_kind,
    by_slice,
    evidence_overlap,
    figures,
)
from training.examples import encode_cases
from training.export import export_onnx, prove_parity, round_to_half, save_weights
from training.fit import Workshop, calibration, finetune, intermediate, pretrained
from training.passages import source_files
from training.perturbations import flip_rates, threats_found
from training.profile import profile
from training.recipe import load_recipe
from training.wide import fit_wide
from triage.artefact import Artefact, seal, sha256
from triage.errors import InputError
from triage.segment import Segmenter
from triage.taxonomy import DEFAULT_TAXONOMY, load_taxonomy
from triage.triager import Triager

log = logging.getLogger(__name__)
VERSION = "1"
_PERTURBED = 400


def find_labelled(paths: Sequence[Path]) -> list[Path]:
    """The labelled JSONL files named, or in the folders named; InputError if there are none."""
    files = [file for path in paths for file in (sorted(path.rglob("*.jsonl")) if path.is_dir() else [path])]
    missing = [str(file) for file in files if not file.is_file()]
    if missing or not files:
        raise InputError(
            f"cases: labelled .jsonl files or folders of them are needed; given {missing or list(map(str, paths))}"
        )
    return files


def make_model(
    recipe_path: Path,
    taxonomy_path: Path | None,
    data: Path,
    cases: Sequence[Path],
    build: Path,
    out: Path,
    permissive_only: bool = False,
) -> Artefact:
    """Run every stage of a recipe and write the finished, verified model folder to `out`.

    Labelled cases come from `cases` and from the recipe's sources of that kind below `data`.
    Raises InputError, SettingsError or ArtefactError. What was finished in `build` is taken from there.
    """
    if out.exists():
        raise InputError(f"out: a folder that does not exist yet is needed; given {out}")
    recipe = load_recipe(recipe_path)
    taxonomy = load_taxonomy(taxonomy_path or DEFAULT_TAXONOMY)
    files = [*find_labelled(cases), *source_files(data, recipe.of_kind("cases", permissive_only=permissive_only))]
    records = read_cases(files, taxonomy)
    train, dev = ([record for record in records if record.split == split] for split in ("train", "dev"))
    log.info("%d training cases, %d dev cases", len(train), len(dev))
    shop = Workshop(recipe, taxonomy, Segmenter(recipe.segmenter), data, build, permissive_only)
    encoder_folder = intermediate(shop, pretrained(shop), {record.case.id for record in train})
    examples = encode_cases(train, taxonomy, shop.segmenter, shop.encoder())
    model = finetune(shop, encoder_folder, examples, recipe.finetune, recipe.finetune.seeds[0])
    round_to_half(model)
    heads, wide = calibration(shop, model, fit_wide(train, taxonomy, shop.segmenter, recipe.wide), dev)

    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    shutil.copy(taxonomy_path or DEFAULT_TAXONOMY, partial / "taxonomy.yaml")
    shutil.copy(build / "tokenizer.json", partial / "tokenizer.json")
    save_weights(model, partial)
    wide.save(partial / "wide.npz")
    export_onnx(model, partial / "model.onnx")
    worst = prove_parity(model, partial / "model.onnx", [example.encoded for example in examples[:50]])
    settings = {
        "name": recipe.name,
        "version": VERSION,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "segmenter": recipe.segmenter,
        "words": shop.segmenter.words,
        "window": recipe.shape.window_words,
        "roles": 3,
        "heads": heads,
        "lineage": {
            "recipe": recipe.model_dump(mode="json"),
            "cases": {file.name: sha256(file) for file in files},
            "training_cases": len(train),
            "dev_cases": len(dev),
            "licences": "permissive" if permissive_only else "all",
            "parity": worst,
        },
    }
    seal(partial, settings)
    triager = Triager.load(partial)
    measured = _figures(triager, train, dev, with_baseline=True)
    write_card(partial, measured | {"profile": profile(triager, dev)})
    artefact = seal(partial, settings)
    partial.rename(out)
    return Artefact(out, artefact.manifest, artefact.taxonomy)


def measure(
    model: Path, policy: Path | None, cases: Sequence[Path], split: str | None, with_baseline: bool
) -> dict[str, Any]:
    """Figures of a model folder on labelled files, as `triage evaluate` prints them."""
    triager = Triager.load(model, policy)
    records = read_cases(find_labelled(cases), triager.taxonomy)
    train = [record for record in records if record.split == "train"]
    measured = [record for record in records if split in (None, record.split)]
    return _figures(triager, train, measured, with_baseline)


def _figures(
    triager: Triager, train: Sequence[LabelledCase], records: Sequence[LabelledCase], with_baseline: bool
) -> dict[str, Any]:
    if not records:
        raise InputError("cases: no record of the split asked for")
    taxonomy = triager.taxonomy
    systems = {"model": answers_of_triager(triager, records)}
    for kind in ("tfidf", "majority") if with_baseline and train else ():
        fitted = Baseline(taxonomy, Segmenter(triager.artefact.manifest.segmenter), kind).fit(train)
        systems[kind] = answers_of_scores(taxonomy, fitted.predict(records))
    return {
        "cases": len(records),
        "training_cases": len(train),
        "systems": {name: figures(taxonomy, records, answers) for name, answers in systems.items()},
        "kinds": {name: by_kind(taxonomy, records, answers) for name, answers in systems.items()},
        "slices": by_slice(taxonomy, records, systems["model"]),
        "evidence_overlap": evidence_overlap(triager, records),
        "flip_rates": flip_rates(triager, records[:_PERTURBED]),
        "threats_found": threats_found(triager, records[:_PERTURBED]),
    }

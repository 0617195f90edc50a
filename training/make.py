"""A model folder from a recipe, and its figures: the stages of `training.fit` in one visible sequence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.baseline import Baseline
from training.cases import LabelledCase, find_labelled, read_cases
from training.data_card import data_card
from training.distil import network
from training.environment import Clock
from training.evaluate import (
    answers_of_scores,
    answers_of_triager,
    by_kind,
    by_slice,
    evidence_overlap,
    figures,
    review_figures,
)
from training.examples import encode_cases
from training.export import round_to_half
from training.finetune import predict
from training.fit import Workshop, calibration, claim, digests, intermediate, pretrained
from training.pack import Contents, pack
from training.passages import source_files
from training.perturbations import flip_rates, threats_found
from training.profile import profile
from training.readings import read_readings
from training.recipe import load_recipe
from training.splits import Splits, in_split, kept_together, read_split, with_splits
from training.stages import Stages
from training.wide import fit_wide
from triage.artefact import Artefact, sha256
from triage.errors import InputError
from triage.policy import DEFAULT_POLICY, load_policy
from triage.segment import Segmenter
from triage.signals import load_lexicon
from triage.taxonomy import DEFAULT_TAXONOMY, load_taxonomy
from triage.triager import Triager

log = logging.getLogger(__name__)
PARITY_CASES, _PERTURBED = 50, 400


def make_model(
    recipe_path: Path,
    taxonomy_path: Path | None,
    data: Path,
    cases: Sequence[Path],
    build: Path,
    out: Path,
    readings: Sequence[Path] = (),
    permissive_only: bool = False,
    policy: Path | None = None,
) -> Artefact:
    """Run every stage of a recipe and write the finished, verified model folder to `out`.

    Labelled cases come from `cases` and from the recipe's sources of that kind below `data`; `readings` are files of
    labels on passages, and on beginnings of conversations, of its sources. It is measured with `policy`.
    Raises InputError, SettingsError or ArtefactError. What was finished in `build` is taken from there.
    """
    if out.exists():
        raise InputError(f"out: a folder that does not exist yet is needed; given {out}")
    clock, recipe = Clock(), load_recipe(recipe_path)
    taxonomy_path = taxonomy_path or DEFAULT_TAXONOMY
    taxonomy = load_taxonomy(taxonomy_path)
    load_policy(policy or DEFAULT_POLICY).check(taxonomy, load_lexicon().kinds)
    files = [*find_labelled(cases), *source_files(data, recipe.of_kind("cases", permissive_only=permissive_only))]
    labelled = with_splits(read_cases(files, taxonomy))
    known = Splits.of(labelled).train
    read = recipe.of_kind("passages", "cases", permissive_only=permissive_only)
    once_read = read_readings(readings, data, read, taxonomy, known)
    records = [*labelled, *once_read]
    splits = Splits.of(records)
    splits.check(taxonomy)
    train, dev = splits.train, splits.dev
    log.info("%d training cases, %d dev cases", len(train), len(dev))
    job = {
        "recipe": recipe.model_dump(mode="json"),
        "licences": "permissive" if permissive_only else "all",
        "cases": digests((*files, *readings)),
    }
    others = recipe.of_kind(*{source.kind for source in recipe.sources} - {"cases"}, permissive_only=permissive_only)
    claim(build, {**job, "taxonomy": sha256(taxonomy_path), "others": digests(source_files(data, others))})
    shop = Workshop(recipe, taxonomy, Segmenter(recipe.segmenter), data, build, permissive_only)
    encoder_folder = intermediate(shop, pretrained(shop, known), {record.case.id for record in train})
    examples = encode_cases(train, taxonomy, shop.segmenter, shop.encoder(), recipe.finetune.variants)
    first = len(train) - len(once_read)
    examples[first:] = [replace(example, weight=recipe.finetune.readings_weight) for example in examples[first:]]
    unseen = [example.encoded for example in encode_cases(dev, taxonomy, shop.segmenter, shop.encoder())]
    stages = Stages(build / "stages.json", taxonomy, dev, unseen)
    model = network(shop, encoder_folder, examples, train, stages)
    round_to_half(model)
    heads, wide = calibration(shop, predict(model, unseen), fit_wide(train, taxonomy, shop.segmenter, recipe.wide), dev)

    contents = Contents(
        recipe.name,
        recipe.version,
        model,
        build / "tokenizer.json",
        taxonomy_path,
        shop.segmenter,
        recipe.shape.window_words,
        shop.roles,
        wide,
        heads,
        data_card([*files, *readings], records, taxonomy),
    )
    lineage = {
        **job,
        "base": None,
        "training_cases": len(train),
        "dev_cases": len(dev),
        "stages": stages.rows(),
        "spent": clock.spent(),
    }
    some = [example.encoded for example in examples[:PARITY_CASES]]
    return pack(
        out, contents, lineage, some, lambda folder: figures_of(Triager.load(folder, policy), train, dev, "dev")
    )


def measure(
    model: Path, policy: Path | None, cases: Sequence[Path], split: str, with_baseline: bool = True
) -> dict[str, Any]:
    """Figures of a model folder on labelled files, as `triage evaluate` prints them.

    The baseline and the majority guess learn from the train split; they are left out where it is measured on.
    """
    triager = Triager.load(model, policy)
    _, records = read_split(cases, triager.taxonomy, "all")
    train, measured = [record for record in records if record.split == "train"], in_split(records, split)
    unseen = all(record.split != "train" for record in measured)
    return figures_of(triager, train if with_baseline and unseen else [], measured, split)


def figures_of(
    triager: Triager, train: Sequence[LabelledCase], records: Sequence[LabelledCase], split: str
) -> dict[str, Any]:
    """Figures of a model on records of a split, beside the baseline and the majority guess learnt from `train`, if any.

    None of `train` may be among the records.
    """
    taxonomy, groups = triager.taxonomy, kept_together(records)
    systems = {"model": answers_of_triager(triager, records)}
    for kind in ("tfidf", "majority") if train else ():
        fitted = Baseline(taxonomy, Segmenter(triager.artefact.manifest.segmenter), kind).fit(train)
        systems[kind] = answers_of_scores(taxonomy, fitted.predict(records))
    return {
        "split": split,
        "cases": len(records),
        "training_cases": len(train),
        "systems": {
            name: figures(taxonomy, triager.policy, records, answers, groups) for name, answers in systems.items()
        },
        "kinds": {name: by_kind(taxonomy, triager.policy, records, answers) for name, answers in systems.items()},
        "slices": by_slice(taxonomy, triager.policy, records, systems["model"]),
        "evidence_overlap": evidence_overlap(triager, records),
        "review": review_figures(triager.policy, records, systems["model"]),
        "flip_rates": flip_rates(triager, records[:_PERTURBED]),
        "threats_found": threats_found(triager, records[:_PERTURBED]),
        "profile": profile(triager, records),
    }

"""From a model that there is and labelled cases to a model of one's own: the whole way in one visible sequence."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_model, save_model

from training.cases import LabelledCase, find_labelled, read_cases
from training.checkpoint import Checkpoint
from training.choose import Choice
from training.data_card import data_card
from training.environment import Clock
from training.examples import encode_cases, head_shapes
from training.export import round_to_half
from training.finetune import Example, predict, train, words_of
from training.fit import Workshop, calibration, claim, digests
from training.make import PARITY_CASES, figures_of
from training.model import TriageModel
from training.pack import Contents, pack
from training.processes import processes, shared
from training.recipe import FinetuneStage, Recipe, load_recipe
from training.splits import Splits, with_splits
from training.start import Start, open_start, warm_heads
from training.tracking import Track
from training.wide import fit_wide, wide_logits
from triage.artefact import Artefact, HeadCalibration, sha256
from triage.classifier import probabilities
from triage.encode import Encoded
from triage.errors import InputError, SettingsError
from triage.in_use import digest_of
from triage.policy import DEFAULT_POLICY, load_policy
from triage.segment import Segmenter
from triage.signals import load_lexicon
from triage.taxonomy import DEFAULT_TAXONOMY, Taxonomy, load_taxonomy
from triage.triager import Triager
from triage.wide import Wide

log = logging.getLogger(__name__)
_SMALLEST = 1e-6
Dev = tuple[Sequence[LabelledCase], Sequence[Encoded]]


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked for: labelled files or folders of them, where to start (see `open_start`), where the model goes.

    `taxonomy` is by default that of the model started from; `trials` searches that many settings on dev first;
    of `seeds` networks the one that agrees best on dev is kept.
    """

    data: tuple[Path, ...]
    base: str
    out: Path
    build: Path
    recipe: Path
    taxonomy: Path | None = None
    policy: Path | None = None
    trials: int = 0
    seeds: int = 1


def adapt(job: Job) -> Artefact | None:
    """Train, calibrate, export and measure; what was finished in `job.build` is taken from there.

    None in a process that only helped the main one to train.
    Raises InputError, SettingsError or ArtefactError.
    """
    if job.out.exists():
        raise InputError(f"out: a folder that does not exist yet is needed; given {job.out}")
    clock, recipe, start = Clock(), load_recipe(job.recipe), open_start(job.base)
    taxonomy_path = job.taxonomy or (start.model.path("taxonomy.yaml") if start.model else DEFAULT_TAXONOMY)
    taxonomy = load_taxonomy(taxonomy_path)
    load_policy(job.policy or DEFAULT_POLICY).check(taxonomy, load_lexicon().kinds)
    files = find_labelled(job.data)
    records = with_splits(read_cases(files, taxonomy))
    splits = Splits.of(records)
    splits.check(taxonomy)
    log.info("%d training cases, %d dev, %d test", len(splits.train), len(splits.dev), len(splits.test))
    hashes = digests(files)
    sources = {"taxonomy": sha256(taxonomy_path), **hashes}
    here = processes()
    if here.is_main_process:
        settings = {"recipe": recipe.model_dump(mode="json"), "trials": job.trials}
        claim(job.build, {**settings, "base": _identity(start), "files": sources})
        start.tokenizer.save(str(job.build / "tokenizer.json"))
    here.wait_for_everyone()
    shop = _workshop(job, recipe, start, taxonomy)
    examples = encode_cases(splits.train, taxonomy, shop.segmenter, shop.encoder(), recipe.finetune.variants)
    dev = [example.encoded for example in encode_cases(splits.dev, taxonomy, shop.segmenter, shop.encoder())]
    track = Track(job.build / "track.jsonl", job.out.name) if here.is_main_process else None
    stage, network = _finetuned(shop, start, examples, (splits.dev, dev), job, track)
    here.end_training()
    if not here.is_main_process:
        return None
    round_to_half(network)
    network.to("cpu")
    heads, wide = _lexical(shop, start, predict(network, dev), splits)
    contents = Contents(
        job.out.name,
        recipe.version,
        network,
        job.build / "tokenizer.json",
        taxonomy_path,
        shop.segmenter,
        start.window,
        start.roles,
        wide,
        heads,
        data_card(files, records, taxonomy),
    )
    lineage = {
        "recipe": recipe.model_copy(update={"finetune": stage}).model_dump(mode="json"),
        "base": _identity(start),
        "cases": hashes,
        "training_cases": len(splits.train),
        "dev_cases": len(splits.dev),
        "licences": "all",
        "spent": clock.spent(),
    }
    name, measured = ("test", splits.test) if splits.test else ("dev", splits.dev)

    def measure(folder: Path) -> dict[str, Any]:
        return figures_of(Triager.load(folder, job.policy), splits.train, measured, name)

    return pack(job.out, contents, lineage, dev[:PARITY_CASES], measure)


def _workshop(job: Job, recipe: Recipe, start: Start, taxonomy: Taxonomy) -> Workshop:
    """The stages' common ground, with the words that the start was segmented by."""
    manifest = start.model.manifest if start.model else None
    segmenter = Segmenter(manifest.segmenter, manifest.words) if manifest else Segmenter(recipe.segmenter)
    shape = recipe.shape.model_copy(update={"window_words": start.window})
    recipe = recipe.model_copy(update={"shape": shape})
    return Workshop(recipe, taxonomy, segmenter, Path(), job.build, roles=start.roles)


def _identity(start: Start) -> dict[str, str]:
    return {"name": start.name, "digest": digest_of(start.model.folder) if start.model else ""}


def _finetuned(
    shop: Workshop, start: Start, examples: Sequence[Example], dev: Dev, job: Job, track: Track | None
) -> tuple[FinetuneStage, TriageModel]:
    """The network that agrees best on dev, of all seeds, and the settings it was trained with."""
    stage = shop.recipe.finetune.over(words_of(examples))

    def trained(stage: FinetuneStage, name: str) -> tuple[float, TriageModel]:
        with memory_advice(stage):
            agreement, network = _one(shop, start, examples, dev, stage, name, track)
        return shared(agreement), network

    if job.trials:
        from training.search import search

        stage, best = search(stage, job.trials, lambda tried, number: trained(tried, f"trial-{number}")[0])
        if track:
            track("search", agreement=best, **stage.model_dump(mode="json", include={"learning_rate", "layer_decay"}))
    seeds = range(stage.seed, stage.seed + job.seeds)
    candidates = [trained(stage.model_copy(update={"seed": seed}), f"seed-{seed}") for seed in seeds]
    return stage, max(candidates, key=lambda one: one[0])[1]


def _one(
    shop: Workshop,
    start: Start,
    examples: Sequence[Example],
    dev: Dev,
    stage: FinetuneStage,
    name: str,
    track: Track | None,
) -> tuple[float, TriageModel]:
    """One network and its agreement on dev; taken from the build folder if it was finished there.

    Of several processes the main one alone has the best weights and their agreement.
    """
    torch.manual_seed(stage.seed)
    network = TriageModel(start.fresh_encoder(stage.encoder_dropout), head_shapes(shop.taxonomy), stage.dropout)
    if start.model:
        warm_heads(network, start.model, shop.taxonomy)
    weights = shop.build / f"{name}.safetensors"
    if weights.exists():
        load_model(network, weights)
        with safe_open(weights, framework="pt") as finished:
            return float(finished.metadata()["agreement"]), network

    def report(epoch: int, agreement: float) -> None:
        log.info("%s epoch %d: mean agreement on dev %.4f", name, epoch, agreement)
        if track:
            track("epoch", run=name, epoch=epoch, agreement=agreement)

    choice = Choice(network, shop.taxonomy, dev[0], dev[1], stage.patience, report)
    checkpoint = Checkpoint(shop.build / f"{name}.checkpoint")
    train(network, examples, stage, shop.noise(), stage.seed, choice, checkpoint)
    if processes().is_main_process:
        choice.restore()
        save_model(network, str(weights), metadata={"agreement": str(choice.best)})
        checkpoint.path.unlink()
    return choice.best, network


@contextmanager
def memory_advice(stage: FinetuneStage) -> Iterator[None]:
    """Turns running out of memory into a SettingsError that says what to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and "alloc" not in str(error):
            raise
        raise SettingsError(
            f"finetune.batch_words: memory does not suffice for {stage.batch_words} words a batch; halve it, take a "
            "smaller base model, or hide the GPU (CUDA_VISIBLE_DEVICES=) to train on the CPU"
        ) from error


def _lexical(
    shop: Workshop, start: Start, logits: NDArray[np.float32], splits: Splits
) -> tuple[dict[str, HeadCalibration], Wide]:
    """Calibration and linear part: fitted here, or that of the model started from, whichever suits dev better.

    `logits` `[cases, labels]` are the network's on dev.
    """
    wides = [fit_wide(splits.train, shop.taxonomy, shop.segmenter, shop.recipe.wide)]
    if start.model and [h.codes for h in start.model.taxonomy.heads] == [h.codes for h in shop.taxonomy.heads]:
        wides.append(Wide.load(start.model.path("wide.npz")))
    fitted = [calibration(shop, logits, wide, splits.dev) for wide in wides]
    return min(fitted, key=lambda one: _loss(shop, logits, one, splits.dev))


def _loss(
    shop: Workshop,
    deep: NDArray[np.float32],
    fitted: tuple[dict[str, HeadCalibration], Wide],
    records: list[LabelledCase],
) -> float:
    """Negative log-likelihood of the labels of exclusive heads under both parts together."""
    heads, wide = fitted
    logits = deep + wide_logits(wide, records, shop.segmenter)
    total, first = 0.0, 0
    for head in shop.taxonomy.heads:
        scores = probabilities(head, logits[:, first : first + len(head.labels)], heads[head.name])
        first += len(head.labels)
        if head.kind != "multi":
            known = [(row, head.index(r.labels[head.name])) for row, r in enumerate(records) if head.name in r.labels]
            total -= sum(float(np.log(max(scores[row, place], _SMALLEST))) for row, place in known)
    return total

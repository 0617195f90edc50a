"""From several networks to one: their mean answer is taught to a fresh network, on labelled and unlabelled text."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.cases import LabelledCase
from training.examples import head_shapes
from training.finetune import Example, Targets, predict
from training.fit import Workshop, finetune, new_model
from training.model import HeadShape, TriageModel
from training.passages import read_passages
from training.processes import processes
from triage.case import Case
from triage.encode import Encoded
from triage.prepare import prepare

Logits = NDArray[np.float32]
FINAL = "final"
_SHORTEST_PASSAGE = 18


def network(
    shop: Workshop,
    encoder_folder: Path,
    examples: Sequence[Example],
    records: Sequence[LabelledCase],
    after_stage: Callable[[str, TriageModel], None],
) -> TriageModel:
    """The network to ship, on the CPU: fine-tuned on the examples of the records, taught where the recipe says so.

    `after_stage` is called with the name of every stage and the network as it stands then.
    """
    stage, distil = shop.recipe.finetune, shop.recipe.distil
    shapes = head_shapes(shop.taxonomy)
    model = new_model(encoder_folder, shapes, stage)
    if not distil.teachers or (shop.build / f"network-{FINAL}.safetensors").exists():
        finetune(shop, model, examples, stage, FINAL)
        after_stage(FINAL, model)
        return model.cpu()
    known, pool = [example.encoded for example in examples], _pool(shop, records)
    answers: list[Logits] = []
    pool_answers: list[Logits] = []
    for seed in distil.teachers:
        settings = stage.model_copy(update={"seed": seed})
        teacher = finetune(shop, new_model(encoder_folder, shapes, settings), examples, settings, f"teacher-{seed}")
        teacher.to(processes().device)
        after_stage(f"teacher {seed}", teacher)
        answers.append(predict(teacher, known))
        pool_answers.append(predict(teacher, pool))
    lessons = taught(examples, mean_answer(answers, shapes), distil.share)
    soft = soft_examples(pool, mean_answer(pool_answers, shapes), distil.pool_weight)
    first = stage.model_copy(update={"epochs": distil.pool_epochs})
    finetune(shop, model, [*lessons, *soft], first, "pool")
    after_stage("taught, with unlabelled text", model)
    second = stage.model_copy(update={"epochs": distil.epochs, "learning_rate": distil.learning_rate})
    finetune(shop, model, lessons, second, FINAL)
    after_stage(FINAL, model)
    return model.cpu()


def _pool(shop: Workshop, records: Sequence[LabelledCase]) -> list[Encoded]:
    """Unlabelled cases: passages of all sources alike, and beginnings of the training conversations."""
    rng = random.Random(3)  # noqa: S311  # reproducible, not secret
    sources = shop.recipe.of_kind("passages", permissive_only=shop.permissive_only)
    passages = [passage for passage in read_passages(shop.data, sources) if len(passage) >= _SHORTEST_PASSAGE]
    texts = rng.sample(passages, min(shop.recipe.distil.pool, len(passages)))
    cases = [Case(id="", text=text) for text in texts]
    cases += beginnings([record.case for record in records], rng, each=2)
    encoder = shop.encoder()
    return [encoder(prepare(case, shop.segmenter)) for case in cases]


def mean_answer(logits: Sequence[Logits], shapes: Sequence[HeadShape]) -> Targets:
    """Mean probabilities `[cases, labels]`, heads side by side, of several networks' logits of that shape."""
    parts, first = [], 0
    for head in shapes:
        columns = slice(first, first + head.labels)
        parts.append(np.mean([_probabilities(one[:, columns], head.exclusive) for one in logits], axis=0))
        first += head.labels
    return np.concatenate(parts, axis=1).astype(np.float32)


def _probabilities(logits: Logits, exclusive: bool) -> NDArray[np.float64]:
    scores = logits.astype(np.float64)
    if not exclusive:
        return np.asarray(1 / (1 + np.exp(-scores)))
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def taught(examples: Sequence[Example], answer: Targets, share: float) -> list[Example]:
    """Labelled examples whose targets are `share` the ensemble's answer and the rest the label; unknown stays so."""
    mixed = [(1 - share) * example.targets + share * row for example, row in zip(examples, answer, strict=True)]
    return [replace(example, targets=targets) for example, targets in zip(examples, mixed, strict=True)]


def soft_examples(encoded: Sequence[Encoded], answer: Targets, weight: float) -> list[Example]:
    """Unlabelled cases with the ensemble's answer as targets."""
    return [Example(one, row, weight) for one, row in zip(encoded, answer, strict=True)]


def beginnings(cases: Sequence[Case], rng: random.Random, each: int) -> Iterator[Case]:
    """Conversations broken off after a turn drawn at random: up to `each` beginnings of every conversation."""
    for case in cases:
        turns = case.turns or ()
        for length in sorted(rng.sample(range(1, len(turns)), min(each, len(turns) - 1))) if len(turns) > 2 else ():
            yield case.model_copy(update={"turns": turns[:length]})

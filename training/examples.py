"""From labelled cases to encoded examples, and from text with other people's labels to the same."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import load_dataset

from training.cases import LabelledCase
from training.finetune import Example, Targets
from training.model import HeadShape
from training.passages import source_files
from training.perturbations import reworded
from training.recipe import Source
from triage.case import Case
from triage.encode import Encoder
from triage.errors import InputError
from triage.prepare import prepare
from triage.segment import Segmenter
from triage.taxonomy import Taxonomy

AUXILIARY_HEADS = (
    HeadShape("polarity", 2),
    HeadShape("stars", 5),
    HeadShape("emotion", 6),
    HeadShape("abuse", 2),
    HeadShape("sarcasm", 2),
    HeadShape("votes", 2),
)


def head_shapes(taxonomy: Taxonomy) -> list[HeadShape]:
    """The network's heads for a taxonomy, in its order."""
    return [HeadShape(head.name, len(head.labels), head.kind != "multi") for head in taxonomy.heads]


def targets_of(labels: dict[str, Any], taxonomy: Taxonomy) -> Targets:
    """Wanted probabilities of all labels of all heads side by side; NaN for a head without a label."""
    parts = []
    for head in taxonomy.heads:
        part = np.full(len(head.labels), np.nan, dtype=np.float32)
        if head.name in labels:
            value = labels[head.name]
            part[:] = 0
            part[[head.index(code) for code in (value if head.kind == "multi" else [value])]] = 1
        parts.append(part)
    return np.concatenate(parts)


def encode_cases(
    records: Sequence[LabelledCase], taxonomy: Taxonomy, segmenter: Segmenter, encoder: Encoder, variants: int = 0
) -> list[Example]:
    """Examples in the order of the records, each with up to `variants` copies in other words that mean the same."""
    rng = random.Random(1)  # noqa: S311  # reproducible, not secret
    examples = []
    for record in records:
        encoded = encoder(prepare(record.case, segmenter))
        copies = (encoder(prepare(reworded(record.case, rng), segmenter)) for _ in range(variants))
        alike = tuple(copy for copy in copies if len(copy.ids) == len(encoded.ids))
        examples.append(Example(encoded, targets_of(record.labels, taxonomy), variants=alike))
    return examples


def read_auxiliary(
    root: Path, sources: Iterable[Source], segmenter: Segmenter, encoder: Encoder, known: set[str]
) -> Iterator[Example]:
    """Examples of the auxiliary heads. Vote records count only if their id is in `known`, the training ids."""
    for source in sources:
        for path in source_files(root, [source]):
            taken = 0
            for row in load_dataset("json", data_files=str(path), split="train").shuffle(seed=0):
                if source.max_chars and taken > source.max_chars:
                    break
                if source.kind == "votes" and row["id"] not in known:
                    continue
                try:
                    case = Case.read({name: row[name] for name in ("text", "turns") if name in row})
                except InputError:
                    continue
                taken += sum(len(utterance.text) for utterance in case.utterances())
                yield Example(encoder(prepare(case, segmenter)), _auxiliary_targets(source.kind, row))


def _auxiliary_targets(kind: str, row: dict[str, Any]) -> Targets:
    parts = {head.name: np.full(head.labels, np.nan, dtype=np.float32) for head in AUXILIARY_HEADS}
    if kind == "votes":
        parts["votes"][:] = (1 - row["negative_share"], row["negative_share"])
    else:
        position = {
            "polarity": lambda: int(row["polarity"] == "negative"),
            "stars": lambda: int(row["stars"]) - 1,
            "emotion": lambda: int(row["emotion_id"]),
            "abuse": lambda: int(row["offensive"]),
            "sarcasm": lambda: int(row["sarcasm"]),
        }[kind]()
        parts[kind][:] = 0
        parts[kind][position] = 1
    return np.concatenate([parts[head.name] for head in AUXILIARY_HEADS])

"""A model trained in seconds, from text made here and the cases of the repository."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs the 'train' extra")

RECIPE = """
name: tiny
shape: {layers: 1, hidden: 16, heads: 2, feed_forward: 32, window_words: 32}
vocabulary: {size: 900, min_char_count: 3}
pretrain: {vector_epochs: 1, minutes: 0, epochs: 1, block_words: 32, batch_blocks: 8}
intermediate: {epochs: 1}
wide: {words: 300, characters: 500}
finetune: {epochs: 2, learning_rate: 0.003, batch_words: 2048, variants: 1}
distil: {teachers: [1, 2], pool: 30, pool_epochs: 1, epochs: 1}
sources:
  - {path: plain.txt, kind: passages, licence: CC0, permissive: true}
  - {path: polarity.jsonl, kind: polarity, licence: CC0, permissive: true}
  - {path: research.jsonl, kind: cases, licence: research, permissive: false}
"""


def own_cases(root: Path) -> list[dict[str, Any]]:
    """Every eighth record of `data/cases`: quick, and both splits are there."""
    files = sorted((root / "data" / "cases").glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    return rows[::8]


@pytest.fixture(scope="session")
def workshop(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data/`, `cases.jsonl` and `recipe.yaml`."""
    folder = tmp_path_factory.mktemp("workshop")
    rows = own_cases(root)
    words = [" ".join(turn["text"] for turn in row["turns"]) if "turns" in row else row["text"] for row in rows]
    data = folder / "data"
    data.mkdir()
    (data / "plain.txt").write_text("\n".join(word.replace("\n", " ") for word in words), "utf-8")
    polarity = [{"text": word[:60], "polarity": "negative" if i % 2 else "positive"} for i, word in enumerate(words)]
    (data / "polarity.jsonl").write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in polarity), "utf-8")
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (data / "research.jsonl").write_text("\n".join(lines[:20]), "utf-8")
    (folder / "cases.jsonl").write_text("\n".join(lines[20:]), "utf-8")
    digest = hashlib.sha256((data / "plain.txt").read_text("utf-8").splitlines()[5].encode()).hexdigest()
    reading = {"source": "plain.txt", "sha256": digest, "channel": "other", "labels": {"emotion": "calm"}}
    (folder / "readings.jsonl").write_text(json.dumps(reading), "utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, "utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_model(workshop: Path) -> Path:
    """The folder of a model made by every stage of the recipe."""
    from training.make import make_model

    out = workshop / "model"
    make_model(
        workshop / "recipe.yaml",
        None,
        workshop / "data",
        [workshop / "cases.jsonl"],
        workshop / "build",
        out,
        readings=[workshop / "readings.jsonl"],
    )
    return out

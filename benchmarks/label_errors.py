"""Planted label errors and what `triage data check` finds of them. Run: python benchmarks/label_errors.py [DATA...]

In each head a tenth of the labels is replaced by another one at random (of issues, one is dropped or added). Prints
precision, recall, and precision among the 100 least believable of each head, as the mean of three seeds. Labels that
were wrong before count against precision.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from training.cases import LabelledCase, find_labelled, read_cases
from training.check import SAME_SOURCE
from training.similarity import likeness
from training.splits import related
from training.suspicious import suspicious
from training.tables import number, table
from triage.taxonomy import Head, Taxonomy, load_taxonomy

ROOT = Path(__file__).parent.parent
SHARE = 0.1
FIRST = 100
SEEDS = 3


def other_label(head: Head, given: Any, rng: random.Random) -> Any:
    """A label that is not the one given; of several, one more or one less."""
    if head.kind != "multi":
        return rng.choice([code for code in head.codes if code != given])
    if given and rng.random() < 0.5:
        return given[1:]
    return [*given, rng.choice([code for code in head.codes if code not in given])]


def plant(
    records: Sequence[LabelledCase], taxonomy: Taxonomy, rng: random.Random
) -> tuple[list[LabelledCase], dict[str, set[int]]]:
    """The records with wrong labels among them, and where they are."""
    planted: dict[str, set[int]] = {head.name: set() for head in taxonomy.heads}
    wrong = []
    for row, record in enumerate(records):
        labels = dict(record.labels)
        for head in taxonomy.heads:
            if head.name in labels and rng.random() < SHARE:
                labels[head.name] = other_label(head, labels[head.name], rng)
                planted[head.name].add(row)
        wrong.append(replace(record, labels=labels))
    return wrong, planted


def figures(records: Sequence[LabelledCase], taxonomy: Taxonomy, seed: int) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and precision among the first, by head."""
    wrong, planted = plant(records, taxonomy, random.Random(seed))  # noqa: S311
    listed: dict[str, list[int]] = {head.name: [] for head in taxonomy.heads}
    for one in suspicious(wrong, taxonomy, related(wrong, likeness(wrong), SAME_SOURCE.values())):
        listed[one.head].append(one.record)
    found = {}
    for name, rows in listed.items():
        rows = list(dict.fromkeys(rows))
        hits = [row in planted[name] for row in rows]
        found[name] = (np.mean(hits), sum(hits) / max(1, len(planted[name])), np.mean(hits[:FIRST]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="*", default=[ROOT / "data" / "cases"])
    taxonomy = load_taxonomy()
    records = read_cases(find_labelled(parser.parse_args().data), taxonomy)
    rounds = [figures(records, taxonomy, seed) for seed in range(SEEDS)]
    rows = [
        [head.name, *(number(float(np.mean([one[head.name][i] for one in rounds]))) for i in (0, 1, 2))]
        for head in taxonomy.heads
    ]
    print(f"{len(records)} cases, {SHARE:.0%} of the labels of each head wrong, {SEEDS} seeds\n")
    print(table(["head", "precision", "recall", f"precision of the first {FIRST}"], rows))


if __name__ == "__main__":
    main()

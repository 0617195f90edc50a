"""Mean agreement on dev by number of training cases: a base model's start, a random start, and TF-IDF.

    python benchmarks/learning_curve.py models CASES --taxonomy FILE --out docs/figures/learning_curve --write PAGE

writes `docs/figures/learning_curve.json` and `.svg`, and the table between the marks of the page. The networks answer
alone, without the linear part, calibration or policy. With a base model that learnt from these cases before, its curve
flatters it: take labels that it never saw (`benchmarks/unseen_labels.py`).
"""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.baseline import Baseline
from training.cases import LabelledCase
from training.choose import Choice, agreement_of
from training.evaluate import answers_of_scores
from training.examples import encode_cases, head_shapes
from training.finetune import train, words_of
from training.model import TriageModel
from training.noise import Noise
from training.recipe import FinetuneStage, load_recipe
from training.splits import in_split, read_split
from training.start import Start, open_start, warm_heads
from training.tables import table
from triage.encode import Encoder
from triage.segment import Segmenter
from triage.taxonomy import DEFAULT_TAXONOMY, Taxonomy, load_taxonomy

SYSTEMS = {"base": "from the base model", "random": "from random weights", "tfidf": "TF-IDF + LR"}
COLOURS = {"base": "#1f5fbf", "random": "#9aa4b2", "tfidf": "#c2703d"}
RECIPE = Path(__file__).with_suffix(".yaml")


def network(
    start: Start,
    warm: bool,
    taxonomy: Taxonomy,
    cases: list[LabelledCase],
    dev: list[LabelledCase],
    stage: FinetuneStage,
) -> float:
    """Best mean agreement on dev of a network trained on `cases`, from the start's weights or from random ones."""
    manifest = start.model.manifest if start.model else None
    segmenter = Segmenter(manifest.segmenter, manifest.words) if manifest else Segmenter()
    encoder = Encoder(start.tokenizer, start.window, start.roles)
    examples, held = (encode_cases(part, taxonomy, segmenter, encoder, stage.variants) for part in (cases, dev))
    stage = stage.over(words_of(examples))
    torch.manual_seed(stage.seed)
    body = start.fresh_encoder(stage.encoder_dropout)
    if not warm:
        body = type(body)(body.config)
    model = TriageModel(body, head_shapes(taxonomy), stage.dropout)
    if warm and start.model:
        warm_heads(model, start.model, taxonomy)
    choice = Choice(model, taxonomy, dev, [one.encoded for one in held], stage.patience, lambda *_: None)
    train(model, examples, stage, Noise.of(start.tokenizer, stage.word_dropout, stage.rough_share), stage.seed, choice)
    return choice.best


def baseline(taxonomy: Taxonomy, cases: list[LabelledCase], dev: list[LabelledCase]) -> float:
    """Mean agreement on dev of TF-IDF with logistic regression."""
    scores = Baseline(taxonomy, Segmenter()).fit(cases).predict(dev)
    return agreement_of(taxonomy, dev, answers_of_scores(taxonomy, scores))


def measure(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One row a size; smaller samples are parts of the larger ones."""
    taxonomy, stage = load_taxonomy(arguments.taxonomy), load_recipe(arguments.recipe).finetune
    start = open_start(arguments.base)
    _, records = read_split(arguments.data, taxonomy, "all")
    known = [record for record in records if record.labels and _length(record) <= arguments.longest]
    pool, dev = in_split(known, "train"), in_split(known, "dev")
    order = np.random.default_rng(0).permutation(len(pool))
    rows = []
    for size in (size for size in arguments.sizes if size <= len(pool)):
        cases = [pool[place] for place in order[:size]]
        began = time.process_time()
        row = {
            "cases": size,
            "dev": len(dev),
            "tfidf": baseline(taxonomy, cases, dev),
            "base": network(start, True, taxonomy, cases, dev, stage),
            "random": network(start, False, taxonomy, cases, dev, stage),
        }
        rows.append({**row, "core_minutes": round((time.process_time() - began) / 60, 2)})
        print(json.dumps(rows[-1]), flush=True)
        arguments.out.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return rows


def _length(record: LabelledCase) -> int:
    return sum(len(said.text) for said in record.case.utterances())


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Agreement against the number of cases on a logarithmic axis, a line a system."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    sizes = [row["cases"] for row in rows]
    figure, panel = plt.subplots(figsize=(7.5, 3.8), constrained_layout=True)
    for name, title in SYSTEMS.items():
        values = [row[name] for row in rows]
        panel.plot(sizes, values, marker="o", markersize=4, color=COLOURS[name], label=f"{title}: {values[-1]:.2f}")
    panel.set_xscale("log")
    panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
    panel.minorticks_off()
    panel.set_ylim(0, 1)
    panel.set_xlabel("labelled cases for training")
    panel.set_ylabel(f"mean agreement on {rows[0]['dev']} dev cases")
    panel.grid(alpha=0.3)
    panel.legend(frameon=False, loc="upper left")
    figure.savefig(path, metadata={"Date": None})


def page(rows: list[dict[str, Any]]) -> str:
    """The figures as a Markdown table."""
    named = [[title, *(f"{row[name]:.2f}" for row in rows)] for name, title in SYSTEMS.items()]
    spent = ["minutes of a core", *(f"{row['core_minutes']:.0f}" for row in rows)]
    return table(["training cases", *(f"{row['cases']:,}" for row in rows)], [*named, spent])


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument(
        "--sizes", type=lambda text: [int(size) for size in text.split(",")], default=[100, 300, 1000, 3000]
    )
    parser.add_argument("--taxonomy", type=Path, default=DEFAULT_TAXONOMY)
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--longest", type=int, default=50_000, help="characters; longer cases are left out")
    parser.add_argument("--out", type=Path, default=Path("learning_curve"))
    parser.add_argument("--measured", type=Path, help="JSON of an earlier run, in place of measuring")
    parser.add_argument("--write", type=Path, help="page with marks that the table goes between")
    arguments = parser.parse_args()
    rows = json.loads(arguments.measured.read_text("utf-8")) if arguments.measured else measure(arguments)
    plot(rows, arguments.out.with_suffix(".svg"))
    if arguments.write:
        text = arguments.write.read_text("utf-8")
        marked = re.sub(r"(?s)(<!-- curve -->\n).*(<!-- /curve -->)", rf"\g<1>{page(rows)}\n\g<2>", text)
        arguments.write.write_text(marked, "utf-8")


if __name__ == "__main__":
    main()

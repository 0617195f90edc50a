"""`triage data suggest` against choice at random. Run: python benchmarks/suggest.py [DATA...] [--plot FILE]

Pretends that the train split is an unlabelled pool: 100 cases at random, then 100 more a round by each way of choosing,
the TF-IDF baseline fitted anew each round and measured on the dev split. Prints, as means of three seeds: kappa
averaged over single-label heads, F1 averaged over the labels that fewer than 12 % of the pool have, and recall of tiers
3 and 4. `--plot` draws the same, with the range of the seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from training import metrics
from training.baseline import Baseline
from training.cases import LabelledCase, find_labelled, read_cases
from training.pool import label_counts
from training.similarity import customer_words
from training.suggest import suggest
from training.tables import table
from triage.policy import load_policy
from triage.segment import Segmenter
from triage.taxonomy import Taxonomy, load_taxonomy

ROOT = Path(__file__).parent.parent
BATCH, ROUNDS, SEEDS, RARE = 100, 7, 3, 0.12
POLICY = load_policy()
FIGURES = ("kappa, mean of heads", "F1, mean of rare labels", "recall of tier 3 and 4")
Choose = Callable[[Sequence[LabelledCase], Sequence[LabelledCase], Baseline, int], Sequence[int]]


class Remembering(Baseline):
    """The baseline, with every case segmented once however often it is scored."""

    words_of: dict[int, list[str]] = {}

    def _segmented(self, records: Sequence[LabelledCase]) -> list[list[str]]:
        missing = [record for record in records if id(record) not in self.words_of]
        self.words_of.update(zip(map(id, missing), super()._segmented(missing), strict=True))
        return [self.words_of[id(record)] for record in records]


def at_random(pool: Sequence[LabelledCase], known: Sequence[LabelledCase], _: Baseline, seed: int) -> Sequence[int]:
    return np.random.default_rng(seed + len(known)).choice(len(pool), BATCH, replace=False).tolist()


def suggested(pool: Sequence[LabelledCase], known: Sequence[LabelledCase], model: Baseline, seed: int) -> Sequence[int]:
    words = [customer_words(record) for record in pool]
    counts = label_counts(known, model.taxonomy)
    return [one.record for one in suggest(words, model.predict(pool), model.taxonomy, BATCH, counts, POLICY, seed)]


WAYS: dict[str, Choose] = {"at random": at_random, "suggested": suggested}


def quality(model: Baseline, dev: Sequence[LabelledCase], rare: dict[str, list[int]]) -> tuple[float, float, float]:
    """The three figures on dev."""
    scores = model.predict(dev)
    kappas, rare_f1, recall = [], [], float("nan")
    for head in model.taxonomy.heads:
        rows = [row for row, record in enumerate(dev) if head.name in record.labels]
        wanted = np.array([head.index(dev[row].labels[head.name]) for row in rows])
        given = scores[head.name][rows].argmax(1)
        kappas.append(metrics.kappa_of_positions(head, wanted, given))
        rare_f1 += [f1_score(wanted == one, given == one, zero_division=0) for one in rare[head.name] if one in wanted]
        if head.name == POLICY.tier_head:
            severe = [place for place, code in enumerate(head.codes) if str(code) in POLICY.severe]
            recall = metrics.found_and_right(*(np.isin(places, severe).tolist() for places in (wanted, given)))[0]
    return float(np.nanmean(kappas)), float(np.mean(rare_f1)), recall


def curve(
    way: Choose, train: Sequence[LabelledCase], dev: Sequence[LabelledCase], taxonomy: Taxonomy, seed: int
) -> NDArray[np.float64]:
    """Figures `[rounds, 3]`."""
    counts = label_counts(train, taxonomy) or {}
    rare = {name: np.flatnonzero((n > 0) & (n < RARE * n.sum())).tolist() for name, n in counts.items()}
    order = np.random.default_rng(seed).permutation(len(train)).tolist()
    known, pool = [train[row] for row in order[:BATCH]], [train[row] for row in order[BATCH:]]
    figures = []
    for _ in range(ROUNDS):
        model = Remembering(taxonomy, Segmenter("rjieba"), features=(5_000, 10_000)).fit(known)
        figures.append(quality(model, dev, rare))
        chosen = set(way(pool, known, model, seed))
        known = [*known, *(pool[row] for row in chosen)]
        pool = [record for row, record in enumerate(pool) if row not in chosen]
    return np.array(figures)


def plot(path: Path, curves: dict[str, NDArray[np.float64]]) -> None:
    """A panel a figure, a line a way of choosing."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    budget = BATCH * np.arange(1, ROUNDS + 1)
    figure, panels = plt.subplots(1, len(FIGURES), figsize=(11, 3.2), constrained_layout=True)
    for place, (panel, title) in enumerate(zip(panels, FIGURES, strict=True)):
        for (name, values), colour in zip(curves.items(), ("#8a8a8a", "#1f5fa8"), strict=True):
            panel.plot(budget, values[..., place].mean(0), marker="o", markersize=3, color=colour, label=name)
            panel.fill_between(budget, values[..., place].min(0), values[..., place].max(0), color=colour, alpha=0.15)
        panel.set_title(title, fontsize=10)
        panel.set_xlabel("labelled cases")
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="*", default=[ROOT / "data" / "cases"])
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    whole = load_taxonomy()
    taxonomy = whole.model_copy(update={"heads": tuple(head for head in whole.heads if head.kind != "multi")})
    records = read_cases(find_labelled(given.data), taxonomy)
    train, dev = ([record for record in records if record.split == split] for split in ("train", "dev"))
    curves = {
        name: np.array([curve(way, train, dev, taxonomy, seed) for seed in range(SEEDS)]) for name, way in WAYS.items()
    }
    print(f"pool of {len(train)}, measured on {len(dev)}, {SEEDS} seeds\n")
    for place, title in enumerate(FIGURES):
        rows = [[name, *(f"{value:.3f}" for value in values[..., place].mean(0))] for name, values in curves.items()]
        print(table([title, *(str(BATCH * (one + 1)) for one in range(ROUNDS))], rows), end="\n\n")
    if given.plot:
        plot(given.plot, curves)


if __name__ == "__main__":
    main()

"""The model card, written from the manifest and the figures; no number is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.tables import as_markdown, table

_TEMPLATE = """# Model card: {name} {version}

Multi-head classifier of Chinese customer contacts: a RoFormer of {layers} layers x {hidden} over jieba words with
additive attention heads, beside a linear part over TF-IDF of word and character sequences; their logits add up before
calibration. Heads: {heads}. Made by `triage train` on {created}; the recipe is in `manifest.json`.

**Intended use.** Sorting and prioritising customer contacts for people who then read them. Not for decisions about
employees or customers without a person, and not for blocking callers.

**Data.** {training_cases} labelled training cases, {dev_cases} dev cases (calibration and choice; never trained on).
Labels were made by independent reading against the annotation guide and are not the work of a certified QA team.
Cases written for the project lie in `data/cases`; the other sources are used for training only, under these licences:

{sources}

Licence setting: `{licences}`. The folder holds a vocabulary (words, pairs of words, sequences of up to three
characters) and weights, no passages; they were learnt from research releases where the table says so.

**Limits.** Mandarin service contacts; dialect and badly recognised calls are weaker (see the tables by kind). Tier 4,
`no_value` and `unreasonable` are learnt mostly from written cases. Scores are calibrated on dev: the calibration error
below is measured on the same cases the temperature was fitted on, and so is slightly flattering; so are all figures in
so far as label weights, the share of the linear part and the policy's floors were chosen on dev. A floor can lift a
contact to a tier that the model itself finds improbable: its reasons say so, its score stays low, and it is marked for
review.

## Figures

From `triage evaluate`, whole pipeline with the default policy, dev split.

{figures}

Largest difference between torch and ONNX logits on 50 cases: {parity:.1e}.
"""


def write_card(folder: Path, figures: Mapping[str, Any]) -> None:
    """Write `README.md` and `metrics.json` beside the manifest of `folder`."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    lineage = manifest["lineage"]
    recipe = lineage["recipe"]
    used = [one for one in recipe["sources"] if one["permissive"] or lineage["licences"] == "all"]
    card = _TEMPLATE.format(
        name=manifest["name"],
        version=manifest["version"],
        created=manifest["created"],
        layers=recipe["shape"]["layers"],
        hidden=recipe["shape"]["hidden"],
        heads=", ".join(manifest["heads"]),
        training_cases=lineage["training_cases"],
        dev_cases=lineage["dev_cases"],
        licences=lineage["licences"],
        parity=lineage["parity"],
        sources=table(["source", "used as", "licence"], [[one["path"], one["kind"], one["licence"]] for one in used]),
        figures=as_markdown(figures),
    )
    (folder / "README.md").write_text(card, "utf-8")
    (folder / "metrics.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1), "utf-8")

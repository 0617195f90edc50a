"""The model card, written from the manifest and the figures; no number is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from training.tables import as_json, as_markdown, number, table

_TEMPLATE = """# Model card: {name} {version}

Multi-head classifier of Chinese customer contacts: a {kind} of {layers} layers x {hidden} with additive attention
heads, beside a linear part over TF-IDF of word and character sequences; their logits add up before calibration.
Heads: {heads}. Made by `triage train` on {created}; the recipe is in `manifest.json`.

**Intended use.** Sorting and prioritising customer contacts for people who then read them. Not for decisions about
employees or customers without a person, and not for blocking callers.

**Data.** {training_cases} labelled training cases, {dev_cases} dev cases (calibration and choice; never trained on).
{about_data}

{start}

**Limits.** {about_limits}Scores are calibrated on dev, and label weights and the share of the linear part are chosen
there, so figures on dev are slightly flattering. A floor of the policy can lift a contact to a tier that the model
itself finds improbable: its reasons say so, its score stays low, and it is marked for review.

**Work.** {work}
{stages}
## Figures

From `triage evaluate`, whole pipeline with the policy it was made with, split {split}.

{figures}

Largest difference between torch and ONNX logits on training cases: {parity:.1e}. The matrix products of the encoder
then become eight-bit ones: a logit moves by {eight_bit_mean:.2f} on average, by {eight_bit_largest:.2f} at most. All
figures were measured with them.
"""


def write_card(folder: Path, figures: Mapping[str, Any]) -> None:
    """Write `README.md` and `metrics.json` beside the manifest of `folder`."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    config = AutoConfig.from_pretrained(folder)
    lineage = manifest["lineage"]
    recipe = lineage["recipe"]
    card = _TEMPLATE.format(
        name=manifest["name"],
        version=manifest["version"],
        created=manifest["created"],
        kind=config.model_type,
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        heads=", ".join(manifest["heads"]),
        training_cases=lineage["training_cases"],
        dev_cases=lineage["dev_cases"],
        about_data=recipe["about_data"] or "The labels are those of the files; the data card (`DATA.md`) counts them.",
        start=_start(lineage),
        about_limits=f"{recipe['about_limits']} " if recipe["about_limits"] else "",
        work=_work(lineage),
        stages=_stages(lineage.get("stages", {})),
        split=figures["split"],
        **{name: lineage[name] for name in ("parity", "eight_bit_mean", "eight_bit_largest")},
        figures=as_markdown(figures),
    )
    (folder / "README.md").write_text(card, "utf-8")
    (folder / "metrics.json").write_text(as_json(figures), "utf-8")


def _stages(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Kappa on dev after each stage of the recipe."""
    if not rows:
        return ""
    heads = list(next(iter(rows.values())))
    lines = [[name, *(number(row[head]) for head in heads)] for name, row in rows.items()]
    return (
        "\n**Stage by stage.** Agreement on dev of the network alone (most probable label, neither calibration nor "
        f"linear part nor policy):\n\n{table(['stage', *heads], lines)}\n"
    )


def _start(lineage: Mapping[str, Any]) -> str:
    """What the weights started from, and the licences of what they learnt from."""
    recipe, base = lineage["recipe"], lineage["base"]
    used = [one for one in recipe["sources"] if one["permissive"] or lineage["licences"] == "all"]
    parts = []
    if base:
        parts.append(f"**Start.** `{base['name']}`; its terms and its own training data apply to these weights too.")
    if used:
        parts.append(f"**Sources.** Used for training only, under these licences (setting: `{lineage['licences']}`):")
        rows = [[one["path"], one["kind"], one["licence"]] for one in used]
        parts.append(table(["source", "used as", "licence"], rows))
    return "\n\n".join(parts)


def _work(lineage: Mapping[str, Any]) -> str:
    """How long it took and on what; energy is not metered."""
    spent, machine = lineage["spent"], lineage["environment"]
    gpus = ", ".join(machine["gpus"]) or "no GPU"
    return (
        f"{spent['minutes']:.1f} minutes on {machine['cores']} cores and {gpus}, {spent['core_hours']:.2f} core-hours. "
        "Energy was not metered; multiply by what a core or GPU of yours draws and by the carbon of your grid."
    )

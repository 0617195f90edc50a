"""`triage train` and `triage evaluate`. Heavy imports happen inside."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

RECIPE = Path(__file__).parent / "recipes" / "default.yaml"


def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="Model folder to write; must not exist.")],
    cases: Annotated[list[Path], typer.Option(help="Labelled JSONL files or folders of them.")],
    readings: Annotated[list[Path] | None, typer.Option(help="Labels on passages of the recipe's sources.")] = None,
    data: Annotated[Path, typer.Option(help="Folder that the recipe's source paths are relative to.")] = Path(),
    recipe: Annotated[Path, typer.Option(help="Recipe file.")] = RECIPE,
    taxonomy: Annotated[Path | None, typer.Option(help="Taxonomy file; default: the packaged one.")] = None,
    build: Annotated[
        Path, typer.Option(help="Folder for intermediate results; an interrupted run goes on there.")
    ] = Path("build"),
    licences: Annotated[str, typer.Option(help="'all', or 'permissive' to leave research-only sources out.")] = "all",
) -> None:
    """Train a model from a recipe: pre-training, auxiliary labels, labelled cases, calibration, export."""
    from training.make import make_model

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    artefact = make_model(recipe, taxonomy, data, cases, build, out, readings or (), licences == "permissive")
    typer.echo(f"{artefact.folder}: {artefact.manifest.name} {artefact.manifest.version}")


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    cases: Annotated[list[Path], typer.Argument(metavar="DATA", help="Labelled JSONL files or folders of them.")],
    split: Annotated[str, typer.Option(help="Split to measure on; 'all' for every record.")] = "dev",
    baseline: Annotated[bool, typer.Option(help="Also train and measure the baseline on the train split.")] = True,
    policy: Annotated[Path | None, typer.Option(envvar="TRIAGE_POLICY", help="Policy file.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the figures as JSON.")] = None,
    report: Annotated[Path | None, typer.Option(help="Also write them as a self-contained HTML page.")] = None,
) -> None:
    """Agreement with reference labels: per head, per slice, beside the baseline and the majority guess."""
    from training.cases import find_labelled
    from training.make import measure
    from training.report import origin_of, write_report
    from training.tables import as_markdown
    from triage.artefact import open_artefact
    from triage.batch.atomic import atomic, check_outputs
    from triage.policy import DEFAULT_POLICY, load_policy

    artefact, rules = open_artefact(model), load_policy(policy or DEFAULT_POLICY)
    check_outputs((out, report), find_labelled(cases))
    figures = measure(model, policy, cases, None if split == "all" else split, baseline)
    typer.echo(as_markdown(figures))
    if out:
        with atomic(out) as part:
            part.write_text(json.dumps(figures, ensure_ascii=False, indent=1), "utf-8")
    if report:
        write_report(report, figures, artefact.taxonomy, origin_of(artefact, rules.id, cases, split))

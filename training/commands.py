"""`triage train` and `triage evaluate`. Heavy imports happen inside."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from triage.errors import InputError, LabelError

RECIPES = Path(__file__).parent / "recipes"
OWN = RECIPES / "own.yaml"
_OF_BASE_MODEL, _OF_SOURCES = ("base_model", "search", "seeds"), ("corpus", "readings", "licences")


class Licences(StrEnum):
    """Which sources of a recipe may be used."""

    ALL = "all"
    PERMISSIVE = "permissive"


def train(
    context: typer.Context,
    data: Annotated[list[Path], typer.Argument(metavar="DATA", help="Labelled files or folders of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Model folder to write; must not exist.")],
    base_model: Annotated[
        str,
        typer.Option(
            help="Where to start: a model folder, a folder of models (the one in use), or any Hugging Face "
            "encoder, as a folder or a hub name."
        ),
    ] = "models",
    recipe: Annotated[
        Path, typer.Option(help="Recipe; one with passages (recipes/default.yaml) pre-trains instead of a base model.")
    ] = OWN,
    corpus: Annotated[Path, typer.Option(help="Folder that the recipe's source paths are relative to.")] = Path(),
    taxonomy: Annotated[Path | None, typer.Option(help="Taxonomy file; default: that of the base model.")] = None,
    policy: Annotated[Path | None, typer.Option(envvar="TRIAGE_POLICY", help="Policy file that fits it.")] = None,
    readings: Annotated[list[Path] | None, typer.Option(help="Labels on text of the recipe's sources.")] = None,
    search: Annotated[int, typer.Option(min=0, help="Settings to try on dev before training (Optuna).")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Networks to train; the one that agrees best on dev is kept.")] = 1,
    build: Annotated[
        Path | None,
        typer.Option(help="Folder of an interrupted run to go on in; default: build/NAME.work by the name of OUT."),
    ] = None,
    licences: Annotated[Licences, typer.Option(help="'permissive' leaves research-only sources out.")] = Licences.ALL,
) -> None:
    """Train on labelled cases: from a model that there is, or every stage of a recipe. Then calibrate and export."""
    from training.adapt import Job, adapt
    from training.make import make_model
    from training.processes import processes
    from training.recipe import load_recipe
    from triage.artefact import Artefact

    here = processes()
    logging.basicConfig(level=logging.INFO if here.is_main_process else logging.ERROR, format="%(asctime)s %(message)s")
    folder = build or Path("build") / f"{out.name}.work"
    if folder.resolve().is_relative_to(out.resolve()):
        raise InputError(f"build: a folder outside that of --out is needed; given {folder}")
    artefact: Artefact | None
    pretrains = bool(load_recipe(recipe).of_kind("passages"))
    _check_options(context, pretrains)
    if pretrains and here.num_processes > 1:
        raise InputError(f"recipe: one that pre-trains needs a single process; given {here.num_processes}")
    try:
        if pretrains:
            permissive_only = licences is Licences.PERMISSIVE
            artefact = make_model(recipe, taxonomy, corpus, data, folder, out, readings or (), permissive_only, policy)
        else:
            artefact = adapt(Job(tuple(data), base_model, out, folder, recipe, taxonomy, policy, search, seeds))
    except LabelError as error:
        raise LabelError(f"{error}; give --taxonomy FILE if these are labels of another one") from None
    if artefact:
        typer.echo(f"{artefact.folder}: {artefact.manifest.name} {artefact.manifest.version}")


def _check_options(context: typer.Context, pretrains: bool) -> None:
    """InputError if an option was given that has no meaning for this kind of recipe."""
    kind, foreign = ("with", _OF_BASE_MODEL) if pretrains else ("without", _OF_SOURCES)
    sources = {name: context.get_parameter_source(name) for name in foreign}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    if given:
        refused, found = (", ".join(f"--{name.replace('_', '-')}" for name in names) for names in (foreign, given))
        raise InputError(f"recipe: one {kind} passages takes no {refused}; given {found}")


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    cases: Annotated[list[Path], typer.Argument(metavar="DATA", help="Labelled JSONL files or folders of them.")],
    split: Annotated[str, typer.Option(help="Split to measure on; 'all' for every record.")] = "dev",
    baseline: Annotated[bool, typer.Option(help="Also train the baseline, unless on cases that are measured.")] = True,
    policy: Annotated[Path | None, typer.Option(envvar="TRIAGE_POLICY", help="Policy file.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the figures as JSON.")] = None,
    report: Annotated[Path | None, typer.Option(help="Also write them as a self-contained HTML page.")] = None,
) -> None:
    """Agreement with reference labels: per head, per slice, beside the baseline and the majority guess."""
    from training.cases import find_labelled
    from training.make import measure
    from training.report import origin_of, write_report
    from training.tables import as_json, as_markdown
    from triage.artefact import open_artefact
    from triage.batch.atomic import atomic, check_outputs
    from triage.policy import DEFAULT_POLICY, load_policy

    artefact, rules = open_artefact(model), load_policy(policy or DEFAULT_POLICY)
    check_outputs((out, report), find_labelled(cases))
    figures = measure(model, policy, cases, split, baseline)
    typer.echo(as_markdown(figures))
    if out:
        with atomic(out) as part:
            part.write_text(as_json(figures), "utf-8")
    if report:
        write_report(report, figures, artefact.taxonomy, origin_of(artefact, rules.id, cases, split))

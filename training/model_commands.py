"""`triage compare`, `triage promote` and `triage versions`. Heavy imports happen inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

NOT_SHOWN = 1
_DATA = "Labelled files, or folders of them, that neither model saw."
SplitName = Annotated[str, typer.Option("--split", help="Split to compare on; 'all' for every record.")]
Margin = Annotated[
    float,
    typer.Option(min=-1, max=1, help="Gain in mean agreement to be shown at 95 %; negative: a loss that is accepted."),
]
PolicyFile = Annotated[Path | None, typer.Option("--policy", envvar="TRIAGE_POLICY", help="Policy file.")]
Models = Annotated[Path, typer.Option("--models", help="Folder of models.")]


def compare(
    a: Annotated[Path, typer.Argument(help="Model folder in use (or a folder of models).")],
    b: Annotated[Path, typer.Argument(help="Model folder that might take its place.")],
    data: Annotated[list[Path], typer.Argument(metavar="DATA", help=_DATA)],
    split: SplitName = "test",
    margin: Margin = 0.0,
    policy: PolicyFile = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write everything as JSON.")] = None,
    report: Annotated[Path | None, typer.Option(help="Also write the tables to a Markdown file.")] = None,
) -> None:
    """Is B better than A on the same cases? Exit code 0 if B meets the margin, 1 if not."""
    from training.compare_models import check_same_labels, compare_models
    from training.compare_tables import as_markdown
    from training.splits import read_split
    from triage.artefact import open_artefact
    from triage.batch.atomic import atomic, check_outputs

    taxonomy = open_artefact(a).taxonomy
    check_same_labels(taxonomy, open_artefact(b).taxonomy)
    files, records = read_split(data, taxonomy, split)
    check_outputs((out, report), files)
    found = compare_models(a, b, files, records, split, margin, policy)
    page = as_markdown(found)
    typer.echo(page)
    if out:
        with atomic(out) as part:
            part.write_text(json.dumps(found.to_dict(), ensure_ascii=False, indent=1), "utf-8")
    if report:
        with atomic(report) as part:
            part.write_text(page + "\n", "utf-8")
    raise typer.Exit(0 if found.verdict.meets_margin else NOT_SHOWN)


def promote(
    model: Annotated[Path | None, typer.Argument(help="Model folder to put into use.")] = None,
    data: Annotated[list[Path] | None, typer.Argument(metavar="DATA", help=_DATA)] = None,
    models: Models = Path("models"),
    split: SplitName = "test",
    margin: Margin = 0.0,
    policy: PolicyFile = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="Go back to the model in use before.")] = False,
) -> None:
    """Put MODEL into use if it loses nothing against the one in use on DATA; exit code 1 if it is refused."""
    from training.promote import promote as put_into_use
    from training.registry import Registry
    from training.splits import read_split
    from triage.artefact import open_artefact
    from triage.errors import InputError

    registry = Registry(models)
    if rollback:
        typer.echo(f"in use: {registry.roll_back().folder}")
        return
    if model is None or not data:
        raise InputError("promote: MODEL and labelled cases that it never saw (DATA) are needed, or --rollback")
    files, records = read_split(data, open_artefact(model).taxonomy, split)
    done = put_into_use(registry, model, files, records, split, margin, policy)
    for reason in done.refused:
        typer.echo(f"refused: {reason}", err=True)
    typer.echo(f"in use: {done.in_use}")
    raise typer.Exit(NOT_SHOWN if done.refused else 0)


def versions(models: Models = Path("models")) -> None:
    """The models of a folder: which is in use, when and from what each was made, its severe recall then."""
    from training.registry import Registry
    from training.tables import number, severe_part, table

    rows = []
    for version in Registry(models).versions():
        manifest, figures = version.artefact.manifest, version.artefact.metrics.get("systems", {}).get("model", {})
        rows.append(
            [
                "*" if version.in_use else "",
                version.artefact.folder.name,
                f"{manifest.name} {manifest.version}",
                manifest.created,
                str(manifest.lineage.get("training_cases", "–")),
                str(manifest.lineage.get("commit") or "–")[:12],
                number(severe_part(figures).get("severe_recall")),
            ]
        )
    typer.echo(table(["in use", "folder", "model", "made", "training cases", "commit", "severe recall"], rows))

"""`triage compare`, `triage promote` and `triage models`. Heavy imports happen inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

NOT_SHOWN = 1
DataFiles = Annotated[
    list[Path] | None, typer.Argument(metavar="DATA", help="Labelled files, or folders of them, that neither model saw.")
]
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
    data: DataFiles = None,
    split: SplitName = "test",
    margin: Margin = 0.0,
    policy: PolicyFile = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write everything as JSON.")] = None,
    report: Annotated[Path | None, typer.Option(help="Also write the tables to a Markdown file.")] = None,
) -> None:
    """Is B better than A on the same cases? Exit code 0 if B meets the margin, 1 if not."""
    from training.compare_models import compare_models
    from training.compare_tables import as_markdown
    from training.make import check_outputs, labelled_split
    from triage.artefact import open_artefact
    from triage.batch.atomic import atomic

    files, records = labelled_split(data or [], open_artefact(a).taxonomy, split)
    check_outputs(files, out, report)
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

"""`triage data`: check, agreement, suggest, merge. Heavy imports happen inside.

`check` of files without labels, for scoring, needs nothing of the extra 'train'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

_ROWS_LOOKED_AT = 1_000
app = typer.Typer(no_args_is_help=True, help="Label cases, and look at files before training or scoring.")
Files = Annotated[
    list[Path], typer.Argument(metavar="DATA", help="Labelled JSONL, CSV or XLSX files, or folders of them.")
]
Shown = Annotated[int, typer.Option(min=0, help="Lines of each list in the terminal; a report has all.")]
ReportFile = Annotated[Path | None, typer.Option(help="Also write everything: .json or .md.")]
TaxonomyFile = Annotated[Path | None, typer.Option(help="Taxonomy file; default: the packaged one.")]


@app.command()
def check(
    data: Files,
    taxonomy: TaxonomyFile = None,
    alike: Annotated[
        float, typer.Option(min=0.05, max=1, help="Similarity from which two cases are near-duplicates.")
    ] = 0.5,
    fewest: Annotated[int, typer.Option(min=0, help="Labels with fewer cases are named.")] = 20,
    judge_labels: Annotated[bool, typer.Option("--labels/--no-labels", help="Look for labels that seem wrong.")] = True,
    show: Shown = 20,
    report: ReportFile = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Column of a field. Shows how files would be scored."),
    ] = None,
) -> None:
    """Labelled files: rows, labels, duplicates, leakage between splits, identifiers, suspicious labels.

    Exit code 1 if rows cannot be read, ids or words recur, or cases that belong together are in several splits.

    Files without labels: how `triage score` would read them. Exit code 1 if rows cannot be read.
    """
    from training.cases import find_labelled, foreign_labels, is_labelled, read_all
    from training.label_exports import is_export
    from training.tables import bullets
    from triage.batch.read import find_inputs
    from triage.errors import InputError, OutputError
    from triage.taxonomy import DEFAULT_TAXONOMY, load_taxonomy

    labels = load_taxonomy(taxonomy or DEFAULT_TAXONOMY)
    inputs = find_inputs(data)
    if not columns and (exports := [str(path) for path in inputs if is_export(path)]):
        raise InputError(f"{', '.join(exports)}: an export of an annotation tool; merge it first (triage data merge)")
    if columns or not any(is_labelled(path, labels) for path in inputs):
        if report:
            raise OutputError(f"--report {report}: is written of labelled files; these are read as files to score")
        failed = _check_inputs(inputs, columns or [])
        for path in inputs:
            if foreign := bullets(f"{path.name}: not labels", foreign_labels(path, labels), show):
                typer.echo(foreign)
        raise typer.Exit(failed)
    from training.check import check as look
    from training.check_tables import as_markdown

    files = find_labelled(data)
    _check_report(report, files)
    found = look(read_all(files, labels), labels, alike, fewest, judge_labels)
    typer.echo(as_markdown(found, show))
    _write_report(report, found.to_dict(), as_markdown(found, found.cases))
    raise typer.Exit(1 if found.findings else 0)


@app.command()
def agreement(
    passes: Annotated[
        list[Path],
        typer.Argument(metavar="PASS...", help="One file or folder an annotator; or one with a column `annotator`."),
    ],
    taxonomy: TaxonomyFile = None,
    show: Shown = 20,
    report: ReportFile = None,
) -> None:
    """Agreement of two or more annotators, per head and label, and the cases to discuss."""
    from training.agreement import agreement as agree
    from training.agreement import read_passes
    from training.agreement_tables import as_markdown
    from training.cases import find_labelled
    from triage.taxonomy import DEFAULT_TAXONOMY, load_taxonomy

    _check_report(report, find_labelled(passes))
    labels = load_taxonomy(taxonomy or DEFAULT_TAXONOMY)
    found = agree(labels, read_passes(passes, labels))
    typer.echo(as_markdown(found, show))
    _write_report(report, found.to_dict(), as_markdown(found, len(found.discuss)))


@app.command()
def suggest(
    pool: Annotated[list[Path], typer.Argument(metavar="POOL...", help="Contacts without labels: JSONL, CSV, XLSX.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Cases to fill in: .xlsx, .csv or .jsonl.")],
    count: Annotated[int, typer.Option("-n", min=1, help="How many cases.")] = 100,
    labelled: Annotated[list[Path] | None, typer.Option(help="What is labelled already.")] = None,
    taxonomy: Annotated[
        Path | None, typer.Option(help="Taxonomy file of the sheet and of LABELLED; default: that of the model.")
    ] = None,
    model: Annotated[Path | None, typer.Option(envvar="TRIAGE_MODEL", help="Model folder.")] = None,
    policy: Annotated[Path | None, typer.Option(envvar="TRIAGE_POLICY", help="Policy file.")] = None,
) -> None:
    """Choose what to label next: unsure, rare, and unlike each other. Exit code 1 if rows could not be read."""
    from training.cases import find_labelled, read_cases
    from training.label_sheet import write_sheet
    from training.pool import choose
    from training.tables import bullets
    from triage.batch.atomic import check_output
    from triage.taxonomy import load_taxonomy
    from triage.triager import Triager

    known = find_labelled(labelled) if labelled else []
    check_output(out, [*pool, *known])
    triager = Triager.load(model, policy)
    labels = load_taxonomy(taxonomy) if taxonomy else triager.taxonomy
    choice = choose(triager, pool, read_cases(known, labels), count)
    write_sheet(out, choice.cases, choice.chosen, labels)
    typer.echo(f"{out}: {len(choice.chosen)} of {len(choice.cases)} cases")
    typer.echo(bullets("Rows that failed", (f"{row.id}: {row.detail}" for row in choice.failed), show=20))
    raise typer.Exit(1 if choice.failed else 0)


@app.command()
def merge(
    data: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="JSONL, CSV, XLSX, Label Studio .json, doccano .jsonl; oldest first."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Labelled file to write: .jsonl or .ndjson.")],
    rule: Annotated[str, typer.Option(help="Where annotators differ: latest, majority or refuse.")] = "refuse",
    taxonomy: TaxonomyFile = None,
    show: Shown = 20,
    report: ReportFile = None,
) -> None:
    """Put labels of many files together, with where each came from.

    Exit code 1 if rows could not be read or a conflict stayed open: that head then has no label. Exit code 2, and
    OUT is left as it is, if no label could be read.
    """
    from training.cases import JSON_LINES
    from training.label_exports import contact_files, labelled_rows
    from training.merge import merge as put_together
    from training.merge import rule_named
    from training.merge_tables import as_markdown, write_records
    from triage.batch.atomic import check_output
    from triage.errors import InputError, OutputError
    from triage.taxonomy import DEFAULT_TAXONOMY, load_taxonomy

    check_output(out, data)
    if out.suffix.lower() not in JSON_LINES:
        raise OutputError(f"{out}: labelled cases are written as {' or '.join(JSON_LINES)}")
    _check_report(report, [*data, out])
    labels = load_taxonomy(taxonomy or DEFAULT_TAXONOMY)
    contacts = contact_files(data, labels)
    for file in contacts:
        typer.echo(f"{file}: names no head, so it is read as contacts without labels", err=True)
    unused = Counter[str]()
    merged = put_together(labelled_rows(data, labels, contacts, unused), labels, rule_named(rule))
    merged.unused = dict(unused)
    typer.echo(as_markdown(merged, show))
    _write_report(
        report, merged.to_dict(), as_markdown(merged, len(unused) + len(merged.conflicts) + len(merged.problems))
    )
    if not merged.records:
        raise InputError(
            f"no row has a label of the taxonomy {labels.id} (--taxonomy names another); {out} is not written"
        )
    write_records(out, merged.records)
    raise typer.Exit(1 if merged.problems or merged.open else 0)


@app.command()
def lapses(data: Files) -> None:
    """Precision and recall of the hints at agent lapses on conversations labelled for them, per kind.

    On the conversations of data/lapses these figures flatter: the tables know their words (docs/report.md).
    """
    from training.lapses import measure
    from training.tables import number, table

    rows = [
        [
            kind,
            str(one.right),
            str(one.wrong),
            str(one.missed),
            *(number(value) for value in (one.precision, one.recall)),
            str(one.in_turn),
        ]
        for kind, one in measure(data).items()
    ]
    typer.echo(table(["lapse", "right", "wrong", "missed", "precision", "recall", "in the very turn"], rows))


def _check_inputs(inputs: Sequence[Path], columns: Sequence[str]) -> int:
    """Show how each input would be read; 1 if some rows cannot be."""
    from rich.console import Console

    from triage.batch.columns import parse_mapping
    from triage.batch.console import previewed
    from triage.batch.preview import preview
    from triage.batch.read import open_sources

    found = [preview(source, _ROWS_LOOKED_AT) for source in open_sources(inputs, parse_mapping(columns))]
    for one in found:
        Console().print(previewed(one))
    return int(any(one.failed for one in found))


def _check_report(path: Path | None, inputs: Sequence[Path]) -> None:
    """OutputError, before the work, if the report cannot be written."""
    from triage.batch.atomic import check_output
    from triage.errors import OutputError

    if path:
        check_output(path, inputs)
        if path.suffix.lower() not in (".json", ".md"):
            raise OutputError(f"{path}: a report is .json or .md")


def _write_report(path: Path | None, figures: dict[str, Any], markdown: str) -> None:
    from training.tables import as_json
    from triage.batch.atomic import atomic

    if path:
        text = markdown if path.suffix.lower() == ".md" else as_json(figures)
        with atomic(path) as part:
            part.write_text(text + "\n", "utf-8")

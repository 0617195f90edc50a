"""`triage data check` and `triage data agreement`. Heavy imports happen inside.

`check` of files without labels, for scoring, needs nothing of the extra 'train'.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

_ROWS_LOOKED_AT = 1_000
app = typer.Typer(no_args_is_help=True, help="Look at labelled cases before training on them.")
Files = Annotated[list[Path], typer.Argument(metavar="DATA", help="Labelled JSONL files or folders of them.")]
TaxonomyFile = Annotated[Path | None, typer.Option(help="Taxonomy file; default: the packaged one.")]


@app.command()
def check(
    data: Files,
    taxonomy: TaxonomyFile = None,
    alike: Annotated[
        float, typer.Option(min=0, max=1, help="Similarity from which two cases are near-duplicates.")
    ] = 0.5,
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Column of a field, in files to score.")
    ] = None,
) -> None:
    """Schema, cases per label, near-duplicates, leakage between splits. Exit code 1 if there are near-duplicates.

    Of files without labels: how `triage score` would read them. Exit code 1 if rows cannot be read.
    """
    if not _is_labelled(data):
        raise typer.Exit(_check_inputs(data, columns or []))
    import numpy as np

    from training.cases import read_cases
    from training.make import find_labelled
    from training.similarity import nearest
    from training.tables import table
    from triage.taxonomy import DEFAULT_TAXONOMY, load_taxonomy

    labels = load_taxonomy(taxonomy or DEFAULT_TAXONOMY)
    records = read_cases(find_labelled(data), labels)
    neighbours = nearest(records)
    similar = np.array([one.similarity for one in neighbours])
    close = [one for one in neighbours if one.similarity >= alike]
    leaks = [one for one in close if records[one.record].split != records[one.other].split]
    splits, channels = (Counter(values) for values in ([r.split for r in records], [r.case.channel for r in records]))
    typer.echo(f"{len(records)} cases; splits {dict(splits)}; channels {dict(channels)}\n")
    rows = []
    for head in labels.heads:
        given = [record.labels[head.name] for record in records if head.name in record.labels]
        counts = Counter(code for value in given for code in (value if head.kind == "multi" else [value]))
        rows.append([head.name, ", ".join(f"{code} {counts[code]}" for code in head.codes)])
    typer.echo(table(["head", "cases per label"], rows))
    quantiles = ", ".join(f"{q} % {np.percentile(similar, q):.2f}" for q in (50, 90, 99, 100))
    typer.echo(f"\nsimilarity to the nearest other case: {quantiles}; {len(close)} at {alike} or more")
    for one in close:
        ids = records[one.record].case.id, records[one.other].case.id
        typer.echo(
            f"near-duplicate {one.similarity:.2f}: {ids[0]} {ids[1]}" + (" (across splits)" if one in leaks else "")
        )
    raise typer.Exit(1 if close else 0)


@app.command()
def agreement(
    one: Annotated[Path, typer.Argument(help="Labels of one pass: JSONL with id and labels, or a folder.")],
    other: Annotated[Path, typer.Argument(help="Labels of the other pass.")],
    taxonomy: TaxonomyFile = None,
    show: Annotated[int, typer.Option(min=0, help="Ids of cases to discuss, per head.")] = 10,
) -> None:
    """Agreement of two labelling passes, per head, and the cases to discuss."""
    from training.agreement import agreement as agree
    from training.agreement import read_labels
    from training.tables import number, table
    from triage.taxonomy import DEFAULT_TAXONOMY, load_taxonomy

    labels = load_taxonomy(taxonomy or DEFAULT_TAXONOMY)
    found = agree(labels, read_labels(one), read_labels(other))
    rows = [
        [head, str(row["cases"]), number(row["agreement"]), str(len(row["differ"])), " ".join(row["differ"][:show])]
        for head, row in found.items()
    ]
    typer.echo(table(["head", "cases", "agreement", "differ", "ids to discuss"], rows))


def _is_labelled(data: list[Path]) -> bool:
    """Whether one of the files is JSONL whose first record has labels."""
    from triage.batch.read import find_inputs, open_sources

    lines = [path for path in find_inputs(data) if path.suffix.lower() in (".jsonl", ".ndjson")]
    return any("labels" in source.headers for source in open_sources(lines, {}))


def _check_inputs(inputs: list[Path], columns: list[str]) -> int:
    """Show how each input would be read; 1 if some rows cannot be."""
    from rich.console import Console

    from triage.batch.columns import parse_mapping
    from triage.batch.console import previewed
    from triage.batch.preview import preview
    from triage.batch.read import find_inputs, open_sources

    found = [preview(source, _ROWS_LOOKED_AT) for source in open_sources(find_inputs(inputs), parse_mapping(columns))]
    for one in found:
        Console().print(previewed(one))
    return int(any(one.failed for one in found))

"""The command line. Reads its arguments, calls the library, prints; errors become one line and an exit code."""

from __future__ import annotations

import json
import sys
import traceback
from enum import IntEnum, StrEnum
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from triage.errors import TriageError

if TYPE_CHECKING:
    from triage.batch.shards import CaseTriager, Engine
    from triage.triager import Triager

Model = Annotated[Path | None, typer.Option("--model", envvar="TRIAGE_MODEL", help="Model folder.")]
PolicyFile = Annotated[Path | None, typer.Option("--policy", envvar="TRIAGE_POLICY", help="Policy file.")]


class Exit(IntEnum):
    """What the exit codes mean."""

    DONE = 0
    SOME_ROWS_FAILED = 1
    UNUSABLE = 2
    CRASHED = 70
    STOPPED = 130


class EngineName(StrEnum):
    """Who shares the work out."""

    LOCAL = "local"
    RAY = "ray"


class _Commands(TyperGroup):
    """Turns an error of this project, or a missing extra, into one line on stderr and exit code 2."""

    def invoke(self, context: Any) -> Any:
        try:
            return super().invoke(context)
        except TriageError as error:
            typer.echo(f"triage: {_one_line(str(error))}", err=True)
            raise typer.Exit(Exit.UNUSABLE) from None
        except ModuleNotFoundError as error:
            typer.echo(f"triage: this command needs '{error.name}': pip install 'complaint-triage[all]'", err=True)
            raise typer.Exit(Exit.UNUSABLE) from None


app = typer.Typer(
    cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None
)


@app.callback()
def triage() -> None:
    """Triage Chinese customer contacts: complaint type, risk tier, motive, unspoken dissatisfaction, next steps."""


@app.command()
def score(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT", help="JSONL, CSV, XLSX, Parquet, TXT files or folders.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Output: .jsonl, .csv, .xlsx or .parquet.")],
    report: Annotated[list[Path] | None, typer.Option(help="Also write a report: .html or .xlsx, or both.")] = None,
    capacity: Annotated[int, typer.Option(min=0, help="Contacts in the report's review queue.")] = 50,
    compare: Annotated[
        Path | None, typer.Option(help="Output of an earlier run for the report to compare with.")
    ] = None,
    min_group: Annotated[int, typer.Option(min=1, help="The report names no group of fewer contacts.")] = 5,
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Column of a field.")
    ] = None,
    model: Model = None,
    policy: PolicyFile = None,
    batch_size: Annotated[int, typer.Option(min=1, max=4096, help="Contacts in one call of the model.")] = 64,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that did not finish.")] = False,
    engine: Annotated[EngineName, typer.Option(help="This machine, or Ray Data.")] = EngineName.LOCAL,
    workers: Annotated[int, typer.Option(min=0, help="Processes that share the work; 0: as many as cores.")] = 0,
    ray_address: Annotated[
        str | None, typer.Option(help="Address of a Ray cluster; none: one on this machine.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary.")] = False,
) -> None:
    """Triage files of contacts. Exit code 1 if some rows failed; they are in OUT with their error."""
    from triage.batch import run
    from triage.batch.columns import parse_mapping
    from triage.batch.console import Counter, summary
    from triage.batch.read import find_inputs, open_sources
    from triage.batch.report.options import ReportOptions

    found = find_inputs(inputs)
    outputs = run.Outputs(out, ReportOptions(tuple(report or ()), capacity, compare, min_group))
    outputs.check(found, resume)
    settings = run.Settings(parse_mapping(columns or []), batch_size)
    sources = open_sources(found, settings.mapping)
    triager = load_triager(model, policy)
    shared = make_engine(engine, triager, policy, workers, ray_address)
    try:
        with Counter(Console(stderr=True), visible=not quiet) as counter:
            tally = run.score(triager, sources, outputs, settings, shared, counter.update)
    except KeyboardInterrupt:
        typer.echo("triage: stopped; what was done is kept: add --resume to go on", err=True)
        raise typer.Exit(Exit.STOPPED) from None
    if not quiet:
        Console().print(summary(tally, triager.policy.tier_head))
    raise typer.Exit(Exit.SOME_ROWS_FAILED if tally.failed else Exit.DONE)


@app.command()
def explain(
    text: Annotated[str | None, typer.Argument(help="A contact, or - to read it from standard input.")] = None,
    file: Annotated[Path | None, typer.Option(help="A case as a JSON file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    model: Model = None,
    policy: PolicyFile = None,
) -> None:
    """Triage one contact and show why."""
    from triage.batch.marked import mask_result
    from triage.batch.names import Names
    from triage.batch.single import read_case
    from triage.explain import explain as explained

    case = read_case(text, file, sys.stdin.buffer)
    triager = load_triager(model, policy)
    result = mask_result(case, triager(case))
    if as_json:
        typer.echo(json.dumps(result.to_dict(), ensure_ascii=False, indent=2))
    else:
        Console().print(explained(case, result, Names.of(triager.taxonomy, triager.info)))


@app.command()
def info(model: Model = None, policy: PolicyFile = None) -> None:
    """Show model, taxonomy, policy and figures."""
    from triage.batch.console import about

    triager: CaseTriager = load_triager(model, policy)
    Console().print(about(triager))


def add_commands() -> None:
    """Commands of other packages (training, api), declared as entry points so that `triage` need not import them."""
    for entry in sorted(entry_points(group="triage.commands"), key=lambda entry: entry.name):
        command = entry.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(entry.name)(command)


def load_triager(model: Path | None, policy: Path | None) -> Triager:
    """Import and load the pipeline; heavy, so only where a command needs it."""
    from triage.triager import Triager

    return Triager.load(model, policy)


def make_engine(name: EngineName, triager: Triager, policy: Path | None, workers: int, address: str | None) -> Engine:
    """The engine of that name. Its workers load the model of `triager` anew, from its folder, on one thread each."""
    from triage.batch.local import Local
    from triage.triager import Triager

    load = partial(Triager.load, triager.artefact.folder.resolve(), policy and policy.resolve(), threads=1)
    if name is EngineName.LOCAL:
        return Local(triager, load, workers)
    from triage.batch.ray_data import RayData

    return RayData(load, address, workers)


def _one_line(message: str) -> str:
    from triage.batch.marked import printable

    return "; ".join(filter(None, map(str.strip, printable(message).splitlines())))


def main() -> None:
    """Entry point of the `triage` command. Characters that the terminal lacks are replaced, not fatal."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        add_commands()
        app(prog_name="triage")
    except OSError as error:
        parts = (error.strerror or type(error).__name__, error.filename)
        print("triage:", ": ".join(str(part) for part in parts if part), file=sys.stderr)
        sys.exit(Exit.UNUSABLE)
    except Exception as error:  # by itself Python would end with 1, which is an answer of some commands
        traceback.print_tb(error.__traceback__)
        print(f"triage: a defect: {type(error).__name__}", file=sys.stderr)  # its text may be a customer's words
        sys.exit(Exit.CRASHED)

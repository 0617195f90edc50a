"""Tickets by the million: rate and memory of `triage score`, its yardsticks, and what a second worker brings.

    python benchmarks/million.py --folder build/million --write docs/batch.md

A run that was stopped goes on with the same line: the file of tickets, the answers and the measurements lie in the
folder. The tickets are the samples repeated, each time cut at another place and joined the other way round. In the same
run, on the same cores and on the first rows of the same file: a plain transformers pipeline on the same weights, TF-IDF
with logistic regression (fitted on some cases of the repository; only its rate counts here), and `--workers` and
`--engine ray` with one worker and with two. Beside rows a second stand rows for each second of processor time, which a
busy machine falsifies less. Needs the extras 'train' and 'ray'.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import shutil
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.watch import Usage, read, watch  # noqa: E402
from benchmarks.yardsticks import Rate, yardsticks  # noqa: E402
from triage.case import Case  # noqa: E402

MODEL = ROOT / "models" / "default"
PROGRAM = "from triage.cli import main; main()"
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "RAY_worker_niceness": "0"}
ENGINES = {
    f"{name}, {workers} worker{'s' * (workers > 1)}": [*options, "--workers", str(workers)]
    for name, options in {"`--engine local`": [], "`--engine ray`": ["--engine", "ray"]}.items()
    for workers in (1, 2)
}


def tickets(rows: int) -> Iterator[dict[str, Any]]:
    """So many different tickets."""
    samples = [json.loads(line) for line in (ROOT / "data" / "samples" / "tickets.jsonl").open(encoding="utf-8")]
    chance = random.Random(1)  # noqa: S311
    for number in range(rows):
        ticket = samples[number % len(samples)]
        cut = chance.randrange(len(ticket["text"]))
        yield {**ticket, "id": f"T-{number}", "text": ticket["text"][cut:] + ticket["text"][:cut]}


def write_tickets(folder: Path, rows: int) -> Path:
    """The file of so many tickets; the one that is there, if a run goes on."""
    path = folder / f"{rows}.jsonl"
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(ticket, ensure_ascii=False) + "\n" for ticket in tickets(rows))
        part.replace(path)
    return path


def score(source: Path, out: Path, *options: str) -> Usage:
    """What `triage score` used; a run that was stopped goes on, one that was finished is not done again."""
    log = out.with_suffix(".log")
    if out.exists():
        return read(log)
    words = ["score", source, "-o", out, "--quiet", "--resume", "--model", MODEL, *options]
    return watch([sys.executable, "-c", PROGRAM, *words], log, ENVIRONMENT)


def rate_of(used: Usage, rows: int) -> Rate:
    """Rows by time, starting and loading counted."""
    return Rate(rows / used.seconds, rows / used.processor)


def table(*rows: tuple[str, ...]) -> str:
    """Markdown; the first row is the header."""
    head, *body = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *body))


def facts(rows: int, source: Path, out: Path, used: Usage) -> str:
    """Of the long run: its time, and the memory as a series."""
    series = " ".join(f"{one / 1e6:,.0f}" for one in used.curve())
    return table(
        ("the long run", ""),
        ("tickets", f"{rows:,} ({source.stat().st_size / 1e6:,.0f} MB)"),
        ("answers, MB", f"{out.stat().st_size / 1e6:,.0f}"),
        ("time, hours", f"{used.seconds / 3600:.2f}"),
        ("memory of all processes (PSS) at the first to ninth tenth of the time, MB", series),
        ("memory at most, MB", f"{max(used.memory) / 1e6:,.0f}"),
    )


def comparison(rates: dict[str, Rate]) -> str:
    """The rates, the time of a million, and how many times as fast the first is."""
    own = next(iter(rates.values()))
    head = (
        "",
        "rows/s",
        "rows for each second of processor time",
        "a million, hours",
        "`triage score` is times as fast",
    )
    body = (
        (
            name,
            f"{one.wall:,.0f}",
            f"{one.processor:,.0f}",
            f"{1e6 / one.wall / 3600:.2f}",
            "" if one is own else f"{own.wall / one.wall:.1f} (by processor time {own.processor / one.processor:.1f})",
        )
        for name, one in rates.items()
    )
    return table(head, *body)


def scaling(folder: Path, rows: int) -> str:
    """One worker and two, of each engine, over the same rows; starting and loading counted."""
    source = write_tickets(folder, rows)
    lines = []
    for number, (name, options) in enumerate(ENGINES.items()):
        out = folder / f"scaling-{number}.jsonl"
        out.with_suffix(".log").unlink(missing_ok=True)
        shutil.rmtree(folder / f"{out.name}.unfinished", ignore_errors=True)
        used = score(source, out, *options)
        lines.append((name, rate_of(used, rows)))
        out.unlink()
    first = [lines[number // 2 * 2][1].wall for number in range(len(lines))]
    body = (
        (name, f"{one.wall:,.0f}", f"{one.wall / base:.2f}") for (name, one), base in zip(lines, first, strict=True)
    )
    return table((f"{rows:,} tickets", "rows/s", "times one worker"), *body)


def parts(arguments: argparse.Namespace) -> Iterator[str]:
    """What the page says, piece by piece."""
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    source = write_tickets(folder, arguments.rows)
    out = folder / f"{arguments.rows}.out.jsonl"
    machine = f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    yield f"{machine}; yardsticks on the first {arguments.yardstick_rows:,} of the tickets."
    used = score(source, out)
    yield facts(arguments.rows, source, out, used)
    yield scaling(folder, arguments.scaling_rows)
    with source.open(encoding="utf-8") as lines:
        cases = [Case.read(json.loads(line)) for line in islice(lines, arguments.yardstick_rows)]
    labelled = sorted((ROOT / "data" / "cases").glob("set_[abc].jsonl"))
    own = rate_of(used, arguments.rows)
    yield comparison({"`triage score`": own, **dict(yardsticks(cases, MODEL, labelled))})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--yardstick-rows", type=int, default=2_000)
    parser.add_argument("--scaling-rows", type=int, default=8_000)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "million")
    parser.add_argument("--write", type=Path, help="page to put the tables into, between its marks")
    arguments = parser.parse_args()
    page = []
    for part in parts(arguments):
        print(part, end="\n\n", flush=True)
        page.append(part)
    if arguments.write:
        text = arguments.write.read_text("utf-8")
        marked = re.sub(
            r"(?s)(<!-- million -->\n).*(\n<!-- /million -->)", lambda at: at[1] + "\n\n".join(page) + at[2], text
        )
        arguments.write.write_text(marked, "utf-8")


if __name__ == "__main__":
    main()

"""The report as a page: one self-contained file without scripts, fonts or anything from a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from triage.batch.marked import SPEAKER_NAMES
from triage.batch.names import Names
from triage.batch.report.content import Content
from triage.batch.report.curve import LEAST_TURNS
from triage.batch.report.improve import STEPS
from triage.batch.report.options import ReportOptions
from triage.batch.report.plots import CURVE_HEIGHT, HEIGHT, WIDTH
from triage.batch.report.queue import Entry
from triage.batch.report.significance import FALSE_DISCOVERIES
from triage.batch.report.tables import percent
from triage.batch.tally import Tally


def write_page(
    path: Path, found: Content, queue: Iterator[Entry], tally: Tally, names: Names, asked: ReportOptions
) -> None:
    """Render the report to `path`, contact by contact."""
    style = _style()
    page = (
        _environment()
        .get_template("report.html")
        .generate(
            found=found,
            queue=queue,
            tally=tally,
            asked=asked,
            evidence_name=names.evidence,
            speakers=SPEAKER_NAMES,
            steps=STEPS,
            least_turns=LEAST_TURNS,
            size=(WIDTH, HEIGHT, CURVE_HEIGHT),
            false_discoveries=FALSE_DISCOVERIES,
            style=Markup(style),  # noqa: S704 - our own style sheet, not input
            policy=content_policy(style),
        )
    )
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(page)


def content_policy(style: str) -> str:
    """A policy that allows this style sheet, by its hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _style() -> str:
    sheet = resources.files("triage.batch").joinpath("templates/report.css").read_text("utf-8")
    return sheet + "".join(f".w{percent}{{width:{percent}%}}" for percent in range(101))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("triage.batch", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    return environment

"""The reports that were asked for, from what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from triage.batch.names import Names
from triage.batch.report.content import content
from triage.batch.report.html import write_page
from triage.batch.report.options import ReportOptions
from triage.batch.report.queue import entries
from triage.batch.report.survey import Survey
from triage.batch.report.workbook import write_workbook
from triage.batch.tally import Counts, Tally


def write_reports(
    parts: Mapping[Path, Path],
    tally: Tally,
    survey: Survey,
    before: Counts | None,
    info: dict[str, Any],
    sources: Sequence[str],
    asked: ReportOptions,
) -> None:
    """Write each report; `parts` says under which path the file of a name is to be made."""
    names = Names.of(tally.taxonomy, info)
    found = content(tally, survey, before, info, sources, asked)
    for path, part in parts.items():
        if path.suffix.lower() == ".xlsx":
            write_workbook(part, found, entries(survey, names))
        else:
            write_page(part, found, entries(survey, names), tally, names, asked)

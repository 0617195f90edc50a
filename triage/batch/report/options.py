"""What a report is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triage.batch.atomic import check_output
from triage.errors import OutputError

REPORTABLE = (".html", ".htm", ".xlsx")
SMALLEST_GROUP = 5


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Files to write, how many contacts people can listen to, the output to compare with, the least group named."""

    paths: tuple[Path, ...] = ()
    capacity: int = 50
    previous: Path | None = None
    smallest_group: int = SMALLEST_GROUP

    def check(self, others: Sequence[Path]) -> None:
        """OutputError if a report cannot be written as asked; `others` are the inputs and the output."""
        for place, path in enumerate(self.paths):
            if path.suffix.lower() not in REPORTABLE:
                raise OutputError(f"--report {path}: allowed are {' '.join(REPORTABLE)}")
            check_output(path, [*others, *self.paths[:place]])
        if self.previous is not None and not self.paths:
            raise OutputError("--compare belongs to a report: name one with --report FILE")

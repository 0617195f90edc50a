"""Score files: rows through the triager into the output and the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from triage.batch.atomic import atomic, check_output
from triage.batch.marked import mask_result
from triage.batch.read import Source, fraction_read, read_rows
from triage.batch.report.options import ReportOptions
from triage.batch.report.previous import read_previous
from triage.batch.report.survey import Survey
from triage.batch.report.write import write_reports
from triage.batch.rows import Row
from triage.batch.tally import Outcome, Tally
from triage.batch.write import WRITABLE, open_writer
from triage.case import Case
from triage.errors import OutputError
from triage.result import RowError, TriageResult
from triage.taxonomy import Taxonomy

_BATCHES_A_CHUNK = 8
Progress = Callable[[int, float], None]


class CaseTriager(Protocol):
    """What scoring needs of a triager."""

    @property
    def taxonomy(self) -> Taxonomy: ...

    @property
    def info(self) -> dict[str, Any]: ...

    def pipe(self, cases: Iterable[Case], batch_size: int = 64) -> Iterator[TriageResult | RowError]: ...


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the answers go, and the report that is wanted."""

    out: Path
    report: ReportOptions = field(default_factory=ReportOptions)

    def check(self, inputs: Sequence[Path]) -> None:
        """OutputError if one of them cannot be written as asked."""
        if self.out.suffix.lower() not in WRITABLE:
            raise OutputError(f"{self.out}: written are {' '.join(WRITABLE)}")
        check_output(self.out, inputs)
        self.report.check([*inputs, self.out])


def outcomes(triager: CaseTriager, rows: Iterable[Row], batch_size: int = 64) -> Iterator[Outcome]:
    """Triage rows in bounded chunks. Order is kept, rows that could not be read stay in their place."""
    stream = iter(rows)
    while chunk := list(islice(stream, batch_size * _BATCHES_A_CHUNK)):
        answers = triager.pipe([row for row in chunk if isinstance(row, Case)], batch_size)
        for row in chunk:
            if isinstance(row, RowError):
                yield Outcome(None, row)
                continue
            answer = next(answers)
            yield Outcome(row, mask_result(row, answer) if isinstance(answer, TriageResult) else answer)


def score(
    triager: CaseTriager,
    sources: Sequence[Source],
    outputs: Outputs,
    batch_size: int = 64,
    on_progress: Progress | None = None,
) -> Tally:
    """Triage all rows of `sources` into `outputs`. A file appears whole at the end, or an older one stays as it was."""
    asked = outputs.report
    before = read_previous(asked.previous, triager.taxonomy) if asked.previous else None
    survey = Survey(triager.taxonomy, triager.info.get("costs", {}), asked.capacity) if asked.paths else None
    tally = Tally(triager.taxonomy, survey)
    with ExitStack() as stack:
        part = stack.enter_context(atomic(outputs.out))
        reports = {path: stack.enter_context(atomic(path)) for path in asked.paths}
        with closing(open_writer(part, outputs.out.suffix.lower(), triager.taxonomy)) as writer:
            for outcome in outcomes(triager, read_rows(sources), batch_size):
                writer.write(outcome.answer)
                tally.add(outcome)
                if on_progress:
                    on_progress(tally.contacts, fraction_read(sources))
        if survey is not None:
            names = [source.path.name for source in sources]
            write_reports(reports, tally, survey, before, triager.info, names, asked)
    return tally

"""Score files: rows through an engine into the output and the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from triage.batch.atomic import atomic, check_output
from triage.batch.job import fingerprint
from triage.batch.journal import Journal
from triage.batch.local import Local
from triage.batch.report.options import ReportOptions
from triage.batch.report.previous import read_previous
from triage.batch.report.survey import Survey
from triage.batch.report.write import write_reports
from triage.batch.shards import CaseTriager, Engine, Shards
from triage.batch.table import Source
from triage.batch.tally import Outcome, Tally
from triage.batch.write import WRITABLE, open_writer
from triage.case import Case
from triage.errors import OutputError

Progress = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the answers go, and the report that is wanted."""

    out: Path
    report: ReportOptions = field(default_factory=ReportOptions)

    def check(self, inputs: Sequence[Path], resume: bool = False) -> None:
        """OutputError if one of them cannot be written as asked, or a run that did not finish would be lost."""
        if self.out.suffix.lower() not in WRITABLE:
            raise OutputError(f"{self.out}: written are {' '.join(WRITABLE)}")
        check_output(self.out, inputs)
        self.report.check([*inputs, self.out])
        Journal.beside(self.out).check(resume)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to read and score: which column is which field, contacts in one call of the model."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    batch_size: int = 64


def score(
    triager: CaseTriager,
    sources: Sequence[Source],
    outputs: Outputs,
    settings: Settings | None = None,
    engine: Engine | None = None,
    on_progress: Progress | None = None,
) -> Tally:
    """Triage all rows of `sources` into `outputs`. A file appears whole at the end, or an older one stays as it was.

    Answers are kept in a journal beside the output until then; a run that finds one goes on from there, if it is of
    the same inputs, model, policy and settings (else OutputError).
    """
    settings, engine, asked = settings or Settings(), engine or Local(triager), outputs.report
    before = read_previous(asked.previous, triager.taxonomy) if asked.previous else None
    survey = _survey(triager, asked.capacity) if asked.paths else None
    tally = Tally(triager.taxonomy, survey)
    journal = Journal.beside(outputs.out)
    journal.begin(fingerprint(sources, settings.mapping, triager.digest, settings.batch_size))
    with ExitStack() as stack:
        part = stack.enter_context(atomic(outputs.out, journal.folder))
        reports = {path: stack.enter_context(atomic(path)) for path in asked.paths}
        answered = stack.enter_context(closing(engine(Shards(sources, settings.batch_size), journal)))
        with closing(open_writer(part, outputs.out.suffix.lower(), triager.taxonomy)) as writer:
            for shard, answers in answered:
                for row, answer in zip(shard.rows, answers, strict=True):
                    outcome = Outcome(row if isinstance(row, Case) else None, answer)
                    writer.write(outcome)
                    tally.add(outcome)
                if on_progress:
                    on_progress(tally.contacts, shard.fraction)
        if survey is not None:
            names = [source.path.name for source in sources]
            write_reports(reports, tally, survey, before, triager.info, names, asked)
    journal.remove()
    return tally


def _survey(triager: CaseTriager, capacity: int) -> Survey:
    return Survey(triager.taxonomy, triager.policy.tier_head, triager.info.get("costs", {}), capacity)

"""An input as it would be read: which column is which field, what the first rows look like, what is wrong."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from triage.batch.cells import cell_text
from triage.batch.columns import has_turns
from triage.batch.marked import printable
from triage.batch.read import Input, read_rows
from triage.batch.speakers import speaker_of
from triage.batch.table import Table
from triage.batch.transcripts import Transcripts
from triage.case import Case, Speaker
from triage.privacy import mask_text
from triage.result import RowError

_SPEAKERS_SHOWN = 12
_EXAMPLE = 40
_EXAMPLES = 2
_FAILURES = 5


@dataclass(slots=True)
class Preview:
    """What is known of one input after its first rows.

    `columns` are headers by field, `examples` their first values (masked and cut) by field; `ignored` are headers that
    stand for no field; `speakers` are the names found and what they are taken for, `voices` the speakers of the cases.
    """

    source: Input
    columns: dict[str, str]
    ignored: list[str]
    examples: dict[str, list[str]]
    speakers: dict[str, Speaker]
    cases: int = 0
    voices: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    failures: list[RowError] = field(default_factory=list)

    @property
    def form(self) -> str:
        """What a row or a file is."""
        if isinstance(self.source, Transcripts):
            return "one call a file"
        return "one turn a row" if has_turns(self.columns) else "one contact a row"


def preview(source: Input, rows: int) -> Preview:
    """Look at the first `rows` rows of an input (and, where one row is a turn, at so many calls)."""
    found = Preview(source, {}, [], {}, {}) if isinstance(source, Transcripts) else _columns(source, rows)
    for row in islice(read_rows([source]), rows):
        if isinstance(row, Case):
            found.cases += 1
            found.voices.update({said.speaker for said in row.utterances()})
        else:
            found.failed += 1
            found.failures += [row] if len(found.failures) < _FAILURES else []
    return found


def mapping_words(columns: dict[str, str]) -> str:
    """The options that turn the guess into an order."""
    return " ".join(f"--map {shlex.quote(f'{name}={column}')}" for name, column in columns.items())


def _columns(table: Table, rows: int) -> Preview:
    columns = dict(table.columns)
    examples: dict[str, list[str]] = {name: [] for name in columns}
    speakers: dict[str, Speaker] = {}
    for record in islice(table.records(), rows):
        for name, shown in examples.items():
            value = cell_text(record.fields.get(name)).strip()
            if value and len(shown) < _EXAMPLES and (example := _shown(value)) not in shown:
                shown.append(example)
        who = cell_text(record.fields.get("speaker")).strip()
        if who and len(speakers) < _SPEAKERS_SHOWN:
            speakers[_shown(who)] = speaker_of(who) or "unknown"
    ignored = [name for name in table.headers if name and name not in columns.values()]
    return Preview(table, columns, ignored, examples, speakers)


def _shown(value: str) -> str:
    masked = " ".join(printable(mask_text(value)).split())
    return masked[:_EXAMPLE] + ("…" if len(masked) > _EXAMPLE else "")

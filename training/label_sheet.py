"""Cases to be labelled, as a file to fill in: a row a case, an empty column a head."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from training.suggest import Suggestion
from triage.batch.atomic import atomic
from triage.batch.marked import SPEAKER_NAMES, printable
from triage.batch.write import csv_cell
from triage.case import Case
from triage.errors import OutputError
from triage.privacy import mask_text
from triage.taxonomy import Taxonomy

_BEFORE = ("id", "text", "channel", "customer_key", "reason")
_LONGEST_CHOICE = 250  # what a spreadsheet takes in a list of choices


def write_sheet(path: Path, cases: Sequence[Case], chosen: Sequence[Suggestion], taxonomy: Taxonomy) -> None:
    """Write the chosen of `cases` as .jsonl, .csv or .xlsx; words are masked. OutputError for another kind of file."""
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise OutputError(f"{path}: cases to label are written as {' '.join(_WRITERS)}")
    with atomic(path) as part:
        writer(part, [(cases[one.record], one) for one in chosen], taxonomy)


def _json_lines(path: Path, rows: Sequence[tuple[Case, Suggestion]], taxonomy: Taxonomy) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for case, one in rows:
            record: dict[str, Any] = case.model_dump(mode="json", exclude_none=True)
            if case.text is not None:
                record["text"] = mask_text(case.text)
            for turn in record.get("turns", ()):
                turn["text"] = mask_text(turn["text"])
            record |= {"reason": list(one.reasons), "labels": {head.name: None for head in taxonomy.heads}}
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def _csv(path: Path, rows: Sequence[tuple[Case, Suggestion]], taxonomy: Taxonomy) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*_BEFORE, *(head.zh for head in taxonomy.heads)])
        writer.writerows([*map(csv_cell, _cells(case, one)), *("" for _ in taxonomy.heads)] for case, one in rows)


def _xlsx(path: Path, rows: Sequence[tuple[Case, Suggestion]], taxonomy: Taxonomy) -> None:
    """With the labels of each single-label head to choose from."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append([*_BEFORE, *(head.zh for head in taxonomy.heads)])
    for number, (case, one) in enumerate(rows, start=2):
        for column, text in enumerate(_cells(case, one), start=1):
            cell = sheet.cell(number, column, printable(text))
            cell.data_type = "s"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for place, head in enumerate(taxonomy.heads, start=len(_BEFORE) + 1):
        choices = ",".join(label.zh for label in head.labels)
        if head.kind != "multi" and len(choices) <= _LONGEST_CHOICE:
            validation = DataValidation("list", formula1=f'"{choices}"', allow_blank=True, showErrorMessage=True)
            validation.add(f"{get_column_letter(place)}2:{get_column_letter(place)}{len(rows) + 1}")
            sheet.add_data_validation(validation)
    sheet.column_dimensions["B"].width = 80
    sheet.freeze_panes = "C2"
    book.save(path)


def _cells(case: Case, one: Suggestion) -> list[str]:
    """What stands before the labels. Turns become lines that begin with who speaks, which the reader takes apart."""
    lines = [case.text or ""] if case.turns is None else [_line(turn.speaker, turn.text) for turn in case.turns]
    return [case.id, mask_text("\n".join(lines)), case.channel, case.customer_key or "", "; ".join(one.reasons)]


def _line(speaker: Any, text: str) -> str:
    said = " ".join(text.split())
    return said if speaker == "unknown" else f"{SPEAKER_NAMES[speaker]}：{said}"


_WRITERS: dict[str, Callable[[Path, Sequence[tuple[Case, Suggestion]], Taxonomy], None]] = {
    ".jsonl": _json_lines,
    ".csv": _csv,
    ".xlsx": _xlsx,
}

"""Cases to be labelled, as a file to fill in: a row a case, an empty column a head."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from training.label_table import SHEET_HEADER, sheet_headers
from training.suggest import Suggestion
from triage.batch.atomic import atomic
from triage.batch.marked import SPEAKER_NAMES, printable
from triage.batch.write import csv_cell
from triage.case import Case, Channel, Speaker, Turn
from triage.errors import InputError, OutputError
from triage.privacy import mask_text
from triage.taxonomy import Taxonomy

_SPLIT = "train"  # cases that were chosen measure the choosing
_LONGEST_CELL = 32_767  # characters that a spreadsheet takes
_CHOICES = "labels"


def write_sheet(path: Path, cases: Sequence[Case], chosen: Sequence[Suggestion], taxonomy: Taxonomy) -> None:
    """Write the chosen of `cases`, each with the split `train`, as .jsonl, .csv or .xlsx; words are masked.

    OutputError for another kind of file, or a case that is too long for a cell of a spreadsheet.
    """
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
            if case.turns is not None:
                record["turns"] = _masked_turns(case.turns)
            record |= {
                "split": _SPLIT,
                "reason": list(one.reasons),
                "labels": {head.name: None for head in taxonomy.heads},
            }
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def _csv(path: Path, rows: Sequence[tuple[Case, Suggestion]], taxonomy: Taxonomy) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*SHEET_HEADER, *sheet_headers(taxonomy)])
        writer.writerows([*map(csv_cell, _cells(case, one)), *("" for _ in taxonomy.heads)] for case, one in rows)


def _xlsx(path: Path, rows: Sequence[tuple[Case, Suggestion]], taxonomy: Taxonomy) -> None:
    """With the labels of each single-label head to choose from; they stand on a hidden sheet."""
    book = Workbook()
    sheet, choices = book.worksheets[0], book.create_sheet(_CHOICES)
    choices.sheet_state = "hidden"
    sheet.append([*SHEET_HEADER, *sheet_headers(taxonomy)])
    for number, (case, one) in enumerate(rows, start=2):
        for column, text in enumerate(_cells(case, one), start=1):
            if len(text) > _LONGEST_CELL:
                raise OutputError(f"case {case.id}: a cell takes {_LONGEST_CELL} characters; write .csv or .jsonl")
            _write(sheet, number, column, text).alignment = Alignment(wrap_text=True, vertical="top")
    for place, head in enumerate(taxonomy.heads, start=len(SHEET_HEADER) + 1):
        if head.kind != "multi":
            for number, label in enumerate(head.labels, start=1):
                _write(choices, number, place, label.zh)
            letter = get_column_letter(place)
            listed = f"{_CHOICES}!${letter}$1:${letter}${len(head.labels)}"
            validation = DataValidation("list", formula1=listed, allow_blank=True, showErrorMessage=True)
            validation.add(f"{letter}2:{letter}{len(rows) + 1}")
            sheet.add_data_validation(validation)
    sheet.column_dimensions["B"].width = 80
    sheet.freeze_panes = "C2"
    book.save(path)


def _write(sheet: Worksheet, row: int, column: int, text: str) -> Cell:
    """A cell that is text, whatever it begins with."""
    cell = sheet.cell(row, column, printable(text))
    cell.data_type = "s"
    return cell


def _cells(case: Case, one: Suggestion) -> list[str]:
    """What stands before the labels."""
    return [case.id, _words(case), case.channel, case.customer_key or "", _SPLIT, "; ".join(one.reasons)]


def _words(case: Case) -> str:
    """The words, masked, in a cell that is read back as what the same speakers said.

    Turns are lines that begin with who speaks, a single one is its words; where these would be read otherwise, JSON.
    """
    if case.turns is None:
        return mask_text(case.text or "")
    lines = [_line(turn) for turn in case.turns] if len(case.turns) > 1 else [case.turns[0].text]
    written = "\n".join(lines)
    if _said(written, case.channel) == [(turn.speaker, _one_line(turn.text)) for turn in case.turns]:
        return mask_text(written)
    return "[" + ",\n".join(json.dumps(turn, ensure_ascii=False) for turn in _masked_turns(case.turns)) + "]"


def _said(text: str, channel: Channel) -> list[tuple[Speaker, str]]:
    """Who says what in a text, as a reader takes it apart; nothing if it is no case."""
    try:
        read = Case.read({"text": text, "channel": channel})
    except InputError:
        return []
    return [(said.speaker, _one_line(said.text)) for said in read.utterances()]


def _line(turn: Turn) -> str:
    said = _one_line(turn.text)
    return said if turn.speaker == "unknown" else f"{SPEAKER_NAMES[turn.speaker]}：{said}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _masked_turns(turns: Sequence[Turn]) -> list[dict[str, str]]:
    return [{"speaker": turn.speaker, "text": mask_text(turn.text)} for turn in turns]


_WRITERS: dict[str, Callable[[Path, Sequence[tuple[Case, Suggestion]], Taxonomy], None]] = {
    ".jsonl": _json_lines,
    ".csv": _csv,
    ".xlsx": _xlsx,
}

"""One row a turn becomes one row a call, whatever the order of the file and however long it is.

The turns are put into a temporary database of SQLite, which keeps them on disk and vanishes with the process.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from triage.batch.cells import cell_text, iso_date, known_channel, tidy
from triage.batch.rows import Record, Row, row_error, row_of_fields
from triage.batch.speakers import speaker_of
from triage.batch.table import Table
from triage.case import MAX_TURNS
from triage.errors import InputError

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d+)?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
_CREATE = "CREATE TABLE turns (call TEXT, turn TEXT)"
_INSERT = "INSERT INTO turns VALUES (?, ?)"
_BY_CALL = """
    SELECT call, turn FROM turns JOIN (SELECT call, min(rowid) AS first FROM turns GROUP BY call) USING (call)
    ORDER BY first, turns.rowid"""
_OF_THE_TURN = ("id", "text", "speaker", "order", "turns")


class TurnTable:
    """The calls of a table with one row a turn, in the order of their first rows.

    Turns are ordered by the column `order` (a number or a time), else by `created_at`, where every turn of the call
    has one; else, and among equals, as they stand in the file. What is known of the call is taken from the first row
    that says it. A call with a row that cannot be read is an error as a whole: a turn left out may be the one that
    matters.
    """

    def __init__(self, table: Table):
        self.path, self.size, self.headers, self.columns = table.path, table.size, table.headers, table.columns
        self.fraction = 0.0
        self._table = table

    def __iter__(self) -> Iterator[Row]:
        try:
            with closing(sqlite3.connect("")) as database:
                database.execute("PRAGMA temp_store = FILE")
                database.execute(_CREATE)
                database.executemany(_INSERT, map(_stored, self._table.records()))
                yield from self._calls(database)
        except sqlite3.Error as error:
            raise InputError(f"{self.path}: the turns cannot be gathered in the temporary folder: {error}") from None

    def records(self) -> Iterator[Record]:
        """The rows of the file, one a turn."""
        return self._table.records()

    def _calls(self, database: sqlite3.Connection) -> Iterator[Row]:
        (total,) = database.execute("SELECT count(*) FROM turns").fetchone()
        read = 0
        for call, rows in groupby(database.execute(_BY_CALL), key=itemgetter(0)):
            turns = [_Turn(**json.loads(turn)) for _, turn in islice(rows, MAX_TURNS + 1)]
            more = sum(1 for _ in rows)
            read += len(turns) + more
            self.fraction = read / total
            if more:
                yield row_error(call, f"at most {MAX_TURNS} turns are allowed, given {len(turns) + more}")
            else:
                yield _call(call, turns)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One row: what was said, where it belongs in its call (None: not known), and what is known of the call."""

    speaker: str
    text: str
    place: float | None
    known: dict[str, Any]
    problem: str


def _stored(record: Record) -> tuple[str, str]:
    fields = record.fields
    given = {name: value for name, value in fields.items() if name not in _OF_THE_TURN}
    problem = record.problem or ("" if record.id != record.fallback_id else "the id of the call is missing")
    turn = {
        "speaker": speaker_of(cell_text(fields.get("speaker"))) or "unknown",
        "text": cell_text(fields.get("text")),
        "place": _place(cell_text(fields.get("order")) or cell_text(fields.get("created_at"))),
        "known": tidy(given),
        "problem": problem,
    }
    return record.id.encode(errors="replace").decode(), json.dumps(turn, default=str)


def _place(written: str) -> float | None:
    """A number, a time of day or in the call, or a date, as a number that grows."""
    plain = written.strip()
    if _NUMBER.fullmatch(plain):
        return float(plain)
    if clock := _CLOCK.fullmatch(plain):
        hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in clock.groups())
        return hours * 3600 + minutes * 60 + seconds
    return _seconds(plain)


def _seconds(written: str) -> float | None:
    try:
        return datetime.fromisoformat(iso_date(written)).timestamp()
    except (ValueError, OverflowError):
        return None


def _call(call_id: str, turns: list[_Turn]) -> Row:
    for number, turn in enumerate(turns, start=1):
        if turn.problem:
            return row_error(call_id, f"row {number} of the call: {turn.problem}")
    places = [turn.place for turn in turns]
    if None not in places:
        turns = sorted(turns, key=lambda turn: turn.place or 0.0)
    said = [{"speaker": turn.speaker, "text": turn.text} for turn in turns]
    return row_of_fields({**_known(turns), "id": call_id, "turns": said}, call_id)


def _known(turns: Iterable[_Turn]) -> dict[str, Any]:
    """What the rows say of their call. A time that is no date (of the turn in its call) is none of its own."""
    known: dict[str, Any] = {}
    for turn in turns:
        known = {**turn.known, **known}
    if _seconds(str(known.get("created_at", ""))) is None:
        known.pop("created_at", None)
    return {**known, "channel": known_channel(known.get("channel")) or "other"}

"""Text files, one call each: with speaker marks at the beginning of lines, or as a recogniser writes them without."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from triage.batch.encoding import detect_encoding, open_text
from triage.batch.rows import Row, row_error, row_of_fields
from triage.batch.speakers import SPEAKERS, speaker_of
from triage.case import MAX_CHARACTERS, Speaker
from triage.errors import InputError

SUFFIX = ".txt"
_MOST = 4 * MAX_CHARACTERS
_GAP = r"[ \t]{0,8}"
_CLOCK = r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[ T])?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_TIME = rf"[\[(【]?{_CLOCK}(?:{_GAP}(?:-->|[-~]){_GAP}{_CLOCK})?[\])】]?"
_NAMES = "|".join(sorted(SPEAKERS, key=len, reverse=True))
_WHO = rf"(?P<who>(?:{_NAMES})[ \t_#-]{{0,3}}[0-9A-Za-z]?[0-9]{{0,6}})(?!:\d\d(?::\d\d)?{_GAP}(?:[:：]|\r?$))"
_MARK = re.compile(
    rf"^{_GAP}(?:{_TIME}{_GAP})?[\[(【]?{_WHO}[\])】]?{_GAP}(?:{_TIME})?{_GAP}(?:[:：]|\r?$)",
    re.MULTILINE | re.IGNORECASE,
)
_TIMES = re.compile(rf"^{_GAP}{_TIME}{_GAP}", re.MULTILINE)
_FEWEST_MARKS = 2


class Transcripts:
    """The `.txt` files directly in a folder, or one of them, in the order of their names. Their channel is `call`.

    A file that cannot be read is an error in its place.
    """

    headers: tuple[str, ...] = ()
    columns: Mapping[str, str] = {}

    def __init__(self, path: Path, prefix: str = ""):
        self.path = path
        self.fraction = 0.0
        self._prefix = prefix
        self._names = sorted(_names(path)) if path.is_dir() else [path.name]
        self.size = max(1, path.stat().st_size if path.is_file() else len(self._names))

    def __iter__(self) -> Iterator[Row]:
        for number, file in enumerate(self.files(), start=1):
            self.fraction = number / len(self._names)
            yield _row(file, f"{self._prefix}{file.stem}")

    def files(self) -> Iterator[Path]:
        """The files, one after another."""
        folder = self.path if self.path.is_dir() else self.path.parent
        return (folder / name for name in self._names)


def _names(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        yield from (one.name for one in entries if is_transcript(Path(one.name)) and one.is_file())


def is_transcript(path: Path) -> bool:
    """Whether a file of this name is a call."""
    return path.suffix.lower() == SUFFIX and not path.name.startswith((".", "~$"))


def _row(path: Path, call_id: str) -> Row:
    try:
        with open_text(path, detect_encoding(path)) as stream:
            text = stream.read(_MOST)
    except OSError as error:
        return row_error(call_id, f"cannot be read: {error.strerror or error}")
    except InputError as error:
        return row_error(call_id, str(error).removeprefix(f"{path}: "))
    turns = turns_of(text)
    words: dict[str, Any] = {"turns": turns} if turns else {"text": _TIMES.sub("", text)}
    return row_of_fields({**words, "id": call_id, "channel": "call"}, call_id)


def turns_of(text: str) -> list[dict[str, str]]:
    """Turns of a transcript with speaker marks (`客服：…`, `[00:05] 坐席1: …`, `说话人A 00:00:05` above the words).

    Empty if fewer than two lines begin with one. Words before the first mark are a turn of an unknown speaker.
    """
    marks = list(_MARK.finditer(text))
    if len(marks) < _FEWEST_MARKS:
        return []
    turns = [_turn("unknown", text[: marks[0].start()])]
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        said = text[mark.end() : following.start() if following else len(text)]
        turns.append(_turn(speaker_of(mark["who"]) or "unknown", said))
    return [turn for turn in turns if turn["text"]]


def _turn(speaker: Speaker, said: str) -> dict[str, str]:
    return {"speaker": speaker, "text": said.strip()}

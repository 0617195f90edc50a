"""Text files as they come: which encoding, and lines of bounded length. Never the whole file in memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from triage.errors import InputError

MAX_LINE = 1_000_000
_PIECE = 1 << 20
_BOM = "\ufeff"
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CLEARLY_UTF8 = 8


@dataclass(frozen=True, slots=True)
class _Fault:
    """Where decoding stopped: the line, and how many non-ASCII characters had been read until then."""

    line: int
    wide: int


def detect_encoding(path: Path) -> str:
    """`utf-8`, `utf-16-le`, `utf-16-be` or `gb18030`, whichever decodes the whole file; InputError if none does.

    A file that reads as UTF-8 for a while and then breaks is damaged UTF-8: GB18030 would turn it into other words.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
    marked = [encoding for mark, encoding in _MARKS if head.startswith(mark)]
    encoding = marked[0] if marked else "utf-8"
    fault = _first_fault(path, encoding)
    if fault is None:
        return encoding
    if not marked and fault.wide < _CLEARLY_UTF8 and _first_fault(path, "gb18030") is None:
        return "gb18030"
    raise InputError(
        f"{path}: allowed are UTF-8, UTF-16 with BOM and GB18030 text; line {fault.line} is not valid {encoding}"
    )


def _first_fault(path: Path, encoding: str) -> _Fault | None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line, wide = 1, 0
    with path.open("rb") as stream:
        while True:
            piece = stream.read(_PIECE)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(encoding, "ignore")
                return _Fault(line + good.count("\n"), wide + _wide(good))
            if not piece:
                return None
            line += text.count("\n")
            wide += _wide(text)


def _wide(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def open_text(path: Path, encoding: str) -> TextIO:
    """Open for reading after the byte order mark, line ends untouched."""
    stream = path.open(encoding=encoding, newline="")
    if stream.read(1) != _BOM:
        stream.seek(0)
    return stream


def bounded_lines(stream: TextIO) -> Iterator[str]:
    """Lines with their ends. Of a line longer than `MAX_LINE` only that many characters come; the rest is skipped."""
    while line := stream.readline(MAX_LINE):
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith(("\n", "\r")):
            rest = stream.readline(MAX_LINE)
        yield line

"""One spelling for what means the same: width, whitespace, invisible characters, Traditional to Simplified."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from opencc import OpenCC

from triage.alignment import AlignedText

_WHITESPACE_RUN = re.compile(r"\s{2,}|[^\S ]")
_UNCOMMON = re.compile(r"[^\u4e00-\u9fff -~]")
_KEPT_CONTROLS = "\t\n\r"


@lru_cache(maxsize=65536)
def _fold(char: str) -> str:
    """NFKC of one character, without format, control and combining characters (zero-width, BOM, NUL, strewn marks)."""
    return "".join(one for one in unicodedata.normalize("NFKC", char) if not _is_dropped(one))


def _is_dropped(char: str) -> bool:
    return unicodedata.category(char) in ("Cf", "Cc", "Mn", "Me") and char not in _KEPT_CONTROLS


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _simplify(text: str) -> str:
    """Traditional to Simplified, same length: phrases first, character by character where that changes the length."""
    simplified: str = _converter().convert(text)
    if len(simplified) == len(text):
        return simplified
    return "".join(one if len(one := _converter().convert(char)) == 1 else char for char in text)


def normalise(text: str) -> AlignedText:
    """Normalise `text`; the result maps every character back to the original.

    NFKC per character, format, control and combining characters dropped, whitespace runs to one space,
    Traditional to Simplified. Normalising twice is normalising once.
    """
    folded = ((m.start(), m.end(), _fold(m[0])) for m in _UNCOMMON.finditer(text))
    aligned = AlignedText.of(text).replace(one for one in folded if one[2] != text[one[0]])
    aligned = aligned.replace((m.start(), m.end(), " ") for m in _WHITESPACE_RUN.finditer(aligned.text))
    return AlignedText(_simplify(aligned.text), aligned.starts, aligned.ends)

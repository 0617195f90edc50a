"""Words that a space cuts in two, as keyboards and recognisers leave them, made whole again."""

from __future__ import annotations

import re

from triage.alignment import AlignedText
from triage.segment import Segmenter

_GAP = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")


def join_words(aligned: AlignedText, segmenter: Segmenter) -> AlignedText:
    """Drop the spaces within words; a space where words meet anyway stays. Doing it twice is doing it once."""
    gaps = [gap.start() for gap in _GAP.finditer(aligned.text)]
    if not gaps:
        return aligned
    borders = segmenter.borders(_GAP.sub("", aligned.text))
    return aligned.replace((gap, gap + 1, "") for order, gap in enumerate(gaps) if gap - order not in borders)

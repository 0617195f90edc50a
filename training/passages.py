"""Unlabelled text for the vocabulary and for pre-training: one passage after the other, words ready to encode."""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.cases import READABLE
from training.recipe import Source
from triage.errors import InputError
from triage.normalise import normalise
from triage.privacy import mask
from triage.segment import Segmenter

_LONGEST_PASSAGE = 2_000


def source_files(root: Path, sources: Iterable[Source]) -> list[Path]:
    """Files of all sources below `root`, in order; InputError if a source has none."""
    files = []
    for source in sources:
        found = sorted(root.glob(source.path))
        if not found:
            raise InputError(f"data: source {source.path} is declared in the recipe but is not below {root}")
        files += found
    return files


def read_passages(root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """Raw passages of all sources, in order."""
    for source in sources:
        for _ in range(source.repeat):
            taken = 0
            for path in source_files(root, [source]):
                for passage in read_file(path):
                    if source.max_chars and taken >= source.max_chars:
                        break
                    taken += len(passage)
                    yield passage[:_LONGEST_PASSAGE]


def read_file(path: Path) -> Iterator[str]:
    """Lines of a text file (`.xz` or plain); InputError for a labelled file, whose cases have splits."""
    if not set(READABLE).isdisjoint(map(str.lower, path.suffixes)):
        raise InputError(f"passages: text files are needed, labelled files are of kind cases; given {path}")
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from map(str.strip, lines)


def words_of(text: str, segmenter: Segmenter) -> list[str]:
    """Words as the model sees them: normalised, masked, segmented, spaces dropped."""
    return [word.text for word in segmenter(mask(normalise(text)).text) if not word.text.isspace()]

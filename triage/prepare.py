"""The front of the pipeline: utterances of a case normalised, masked and cut into words, offsets kept."""

from __future__ import annotations

from dataclasses import dataclass

from triage.alignment import AlignedText
from triage.case import Case, Speaker
from triage.normalise import normalise
from triage.privacy import mask
from triage.segment import Segmenter, Word
from triage.spacing import join_words


@dataclass(frozen=True, slots=True)
class Prepared:
    """One utterance ready for signals and classifier.

    `aligned.text` is normalised and masked; `words` point into it; `original(start, end)` leads back to the case.
    """

    turn: int
    speaker: Speaker
    aligned: AlignedText
    words: tuple[Word, ...]
    offset: int

    @property
    def text(self) -> str:
        """The normalised and masked text."""
        return self.aligned.text

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where a range of `text` lies in the original turn, or in `Case.text`."""
        first, last = self.aligned.to_original(start, end)
        return first + self.offset, last + self.offset


def prepare(case: Case, segmenter: Segmenter) -> list[Prepared]:
    """Normalise, mask and segment every utterance of a case, in order."""
    prepared = []
    for utterance in case.utterances():
        aligned = mask(join_words(normalise(utterance.text), segmenter))
        words = tuple(word for word in segmenter(aligned.text) if not word.text.isspace())
        prepared.append(Prepared(utterance.turn, utterance.speaker, aligned, words, utterance.offset))
    return prepared

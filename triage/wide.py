"""The linear part of the model beside the network: TF-IDF of word and character sequences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.prepare import Prepared

_ROLE_MARKS = {"customer": "", "agent": "坐席_", "unknown": ""}
Floats = NDArray[np.float64]


def marked_words(utterances: Iterable[Prepared]) -> list[str]:
    """Words of a case, lower-cased, an agent's marked as such."""
    return [_ROLE_MARKS[said.speaker] + word.text.lower() for said in utterances for word in said.words]


def word_sequences(words: Sequence[str]) -> list[str]:
    """Single words and pairs."""
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def character_sequences(words: Sequence[str]) -> list[str]:
    """Sequences of one to three characters of the joined words."""
    text = "".join(words)
    return [text[start : start + size] for size in (1, 2, 3) for start in range(len(text) - size + 1)]


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of sequence: its features with their places, and the inverse document frequency of each."""

    places: dict[str, int]
    idf: Floats

    def __call__(self, sequences: Sequence[str]) -> tuple[NDArray[np.int64], Floats]:
        """Places and values of the known features: sublinear TF-IDF of unit length (as scikit-learn has it)."""
        counts = Counter(map(self.places.get, sequences))
        del counts[None]
        places = np.fromiter(counts, dtype=np.int64, count=len(counts))
        terms = np.array([1 + math.log(count) for count in counts.values()], dtype=np.float64)
        values = terms * self.idf[places]
        length = float(np.sqrt((values**2).sum()))
        return places, values / length if length else values


class Wide:
    """Adds up, for every label of every head side by side, what the known sequences of a case speak for.

    `weights` is `[features, labels]`, word features before character features; `bias` is `[labels]`.
    """

    def __init__(self, words: Block, characters: Block, weights: NDArray[np.floating[Any]], bias: Floats):
        self.words, self.characters, self.weights, self.bias = words, characters, weights, bias

    def __call__(self, utterances: Sequence[Prepared]) -> Floats:
        """Logits `[labels]`."""
        words = marked_words(utterances)
        places, values = self.words(word_sequences(words))
        more_places, more_values = self.characters(character_sequences(words))
        rows = np.concatenate([places, more_places + len(self.words.places)])
        taken = self.weights[rows].astype(np.float64)
        return np.asarray(np.concatenate([values, more_values]) @ taken + self.bias)

    def scaled(self, factors: Floats) -> Wide:
        """A copy whose labels are multiplied by `factors` `[labels]`."""
        return Wide(self.words, self.characters, self.weights * factors, self.bias * factors)

    def save(self, path: Path) -> None:
        """Write one `.npz` file without pickled objects."""
        np.savez_compressed(
            path,
            words=np.array(sorted(self.words.places, key=self.words.places.__getitem__)),
            characters=np.array(sorted(self.characters.places, key=self.characters.places.__getitem__)),
            word_idf=self.words.idf.astype(np.float32),
            character_idf=self.characters.idf.astype(np.float32),
            weights=self.weights.astype(np.float16),
            bias=self.bias,
        )

    @classmethod
    def load(cls, path: Path) -> Wide:
        """Read what `save` wrote; pickled objects are refused."""
        with np.load(path, allow_pickle=False) as file:
            words, characters = (
                Block({str(one): place for place, one in enumerate(file[name])}, file[idf].astype(np.float64))
                for name, idf in (("words", "word_idf"), ("characters", "character_idf"))
            )
            return cls(words, characters, file["weights"], file["bias"])

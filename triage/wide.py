"""The linear part of the model beside the network: TF-IDF of word and character sequences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.errors import ArtefactError
from triage.prepare import Prepared

_ROLE_MARKS = {"customer": "", "agent": "坐席_", "unknown": ""}
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


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


def _of_word_sequences(words: int) -> Integers:
    """The first word of each of `word_sequences`."""
    return np.concatenate([np.arange(words), np.arange(words - 1)])


def _of_character_sequences(words: Sequence[str]) -> Integers:
    """The word of the middle character of each of `character_sequences`."""
    word = np.repeat(np.arange(len(words)), np.fromiter(map(len, words), np.int64))
    return np.concatenate([word, word[:-1], word[1:-1]])


class Block:
    """One kind of sequence: its features in the order of their places, and the inverse document frequency of each.

    They are found by their hashes in 64 bits: as strings in a `dict` they would take 7 MB more.
    """

    def __init__(self, sequences: NDArray[np.str_], idf: Floats):
        self.sequences, self.idf = sequences, idf
        hashes = _hashes(sequences)
        self._places = np.argsort(hashes).astype(np.int32)
        self._hashes = hashes[self._places]
        if (self._hashes[1:] == self._hashes[:-1]).any():
            raise ArtefactError("wide.npz: sequences that all differ; given one twice")

    def __call__(self, sequences: Sequence[str]) -> tuple[Integers, Integers, Floats]:
        """Where known sequences occur, the place of each, and its part in the value of its feature.

        The value of a feature is its sublinear TF-IDF, of unit length over all (as scikit-learn has it).
        """
        hashes = _hashes(sequences)
        at = np.searchsorted(self._hashes[:-1], hashes)
        known = np.flatnonzero(self._hashes[at] == hashes)
        found = self._places[at[known]].astype(np.int64)
        places, features, counts = np.unique(found, return_inverse=True, return_counts=True)
        values = (1 + np.log(counts)) * self.idf[places]
        length = float(np.sqrt((values**2).sum())) or 1.0
        return known, found, (values / counts / length)[features]


def _hashes(sequences: Sequence[str] | NDArray[np.str_]) -> Integers:
    """Of their bytes in UTF-8: Python's hashes of strings are the same for some strings of different width."""
    return np.fromiter((hash(one.encode()) for one in sequences), np.int64, len(sequences))


@dataclass(frozen=True, slots=True)
class Occurrences:
    """The known sequences of a case, one entry an occurrence.

    `words`: the position of the word it stands at, counted over all utterances; `values`: its part in the value of
    the feature; `weights`: `[sequences, labels]`.
    """

    words: Integers
    values: Floats
    weights: NDArray[np.floating[Any]]
    bias: Floats

    @property
    def logits(self) -> Floats:
        """What all of them speak for, `[labels]`."""
        return np.asarray(self.values @ self.weights.astype(np.float64) + self.bias)

    def contributions(self, labels: Sequence[int]) -> Floats:
        """What each sequence adds to the logits of these labels, `[sequences, labels]`."""
        return np.asarray(self.values[:, None] * self.weights[:, labels].astype(np.float64))


class Wide:
    """Finds the known sequences of a case and what each speaks for, for every label of every head side by side.

    `weights` is `[features, labels]`, word features before character features; `bias` is `[labels]`.
    """

    def __init__(self, words: Block, characters: Block, weights: NDArray[np.floating[Any]], bias: Floats):
        self.words, self.characters, self.weights, self.bias = words, characters, weights, bias

    def __call__(self, utterances: Sequence[Prepared]) -> Occurrences:
        """The known sequences of a case."""
        words = marked_words(utterances)
        at, places, values = self.words(word_sequences(words))
        more_at, more_places, more_values = self.characters(character_sequences(words))
        rows = np.concatenate([places, more_places + len(self.words.sequences)])
        stands_at = np.concatenate([_of_word_sequences(len(words))[at], _of_character_sequences(words)[more_at]])
        return Occurrences(stands_at, np.concatenate([values, more_values]), self.weights[rows], self.bias)

    def scaled(self, factors: Floats) -> Wide:
        """A copy whose labels are multiplied by `factors` `[labels]`."""
        return Wide(self.words, self.characters, self.weights * factors, self.bias * factors)

    def save(self, path: Path) -> None:
        """Write one `.npz` file without pickled objects."""
        np.savez_compressed(
            path,
            words=self.words.sequences,
            characters=self.characters.sequences,
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
                Block(file[name], file[idf].astype(np.float64))
                for name, idf in (("words", "word_idf"), ("characters", "character_idf"))
            )
            return cls(words, characters, file["weights"], file["bias"])

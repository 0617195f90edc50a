"""Words to ids: speaker roles, and windows of whole turns over long conversations. Nothing is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from triage.errors import ArtefactError
from triage.prepare import Prepared

ROLES = {"customer": 0, "agent": 1, "unknown": 2}
Ids = NDArray[np.int64]
_REMEMBERED = 16_384  # words
_ROBERTA_NAMES = {"[CLS]": "<s>", "[SEP]": "</s>", "[UNK]": "<unk>", "[MASK]": "<mask>"}


class TokenOrigin(NamedTuple):
    """Where a token comes from: position of its utterance in the case, and its word's range in the prepared text."""

    utterance: int
    start: int
    end: int


class _Token(NamedTuple):
    id: int
    role: int
    origin: TokenOrigin | None


@dataclass(frozen=True, slots=True)
class Encoded:
    """One case as windows of token ids.

    `ids` and `roles` are `[windows][tokens]` (ragged); `origins` has the same shape, None at `[CLS]` and `[SEP]`.
    """

    ids: list[list[int]]
    roles: list[list[int]]
    origins: list[list[TokenOrigin | None]]

    @property
    def tokens(self) -> list[TokenOrigin | None]:
        """Origins of all tokens, windows one after the other: the order of a prediction's contributions."""
        return [origin for window in self.origins for origin in window]

    def share_of(self, token_id: int) -> float:
        """Share of all tokens that have this id."""
        return sum(window.count(token_id) for window in self.ids) / sum(map(len, self.ids))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of windows, length of the longest."""
        return len(self.ids), max(map(len, self.ids))


class Encoder:
    """Cuts prepared utterances into windows of at most `window` tokens.

    `tokenizer` takes words that are already cut; each window reads `[CLS] utterance [SEP] utterance [SEP] …`. A turn
    goes whole into one window unless it is longer than a window by itself.
    """

    def __init__(self, tokenizer: Tokenizer, window: int, roles: int = 3):
        self._tokenizer = tokenizer
        self._room = window - 1
        self._roles = roles
        self._ids_of = lru_cache(_REMEMBERED)(self._encoded)
        self._cls, self._sep, self.unknown_id = (special(tokenizer, name) for name in ("[CLS]", "[SEP]", "[UNK]"))

    @classmethod
    def load(cls, path: Path, window: int, roles: int = 3) -> Encoder:
        """An encoder from a `tokenizer.json`."""
        return cls(Tokenizer.from_file(str(path)), window, roles)

    def __call__(self, utterances: Sequence[Prepared]) -> Encoded:
        windows: list[list[_Token]] = [[]]
        for piece in self._pieces(utterances):
            if windows[-1] and len(windows[-1]) + len(piece) > self._room:
                windows.append([])
            windows[-1] += piece
        filled = [[_Token(self._cls, window[0].role, None), *window] for window in windows if window]
        return Encoded(
            [[token.id for token in window] for window in filled],
            [[token.role for token in window] for window in filled],
            [[token.origin for token in window] for window in filled],
        )

    def _pieces(self, utterances: Sequence[Prepared]) -> Iterator[list[_Token]]:
        """Utterances as tokens, each closed by `[SEP]`; one that exceeds a window comes in several pieces."""
        for position, utterance in enumerate(utterances):
            role = min(ROLES[utterance.speaker], self._roles - 1)
            tokens = [
                _Token(token_id, role, TokenOrigin(position, word.start, word.end))
                for word in utterance.words
                for token_id in self._ids_of(word.text)
            ]
            step = self._room - 1
            for first in range(0, max(1, len(tokens)), step):
                yield [*tokens[first : first + step], _Token(self._sep, role, None)]

    def _encoded(self, word: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode([word], is_pretokenized=True, add_special_tokens=False).ids)


def special(tokenizer: Tokenizer, name: str) -> int:
    """Id of a special token by its name in BERT, or by that in RoBERTa; ArtefactError if there is none."""
    token_id = tokenizer.token_to_id(name)
    if token_id is None:
        token_id = tokenizer.token_to_id(_ROBERTA_NAMES[name])
    if token_id is None:
        raise ArtefactError(f"tokenizer: {', '.join(_ROBERTA_NAMES)} are needed; {name} is missing")
    return token_id


@dataclass(frozen=True, slots=True)
class Batch:
    """Cases of equal window count, padded: `ids`, `roles`, `mask` are int64 `[cases, windows, tokens]`."""

    ids: Ids
    roles: Ids
    mask: Ids


def collate(encoded: Sequence[Encoded]) -> Batch:
    """Pad cases with the same number of windows into one batch; id 0 is padding."""
    windows, tokens = encoded[0].shape[0], max(one.shape[1] for one in encoded)
    ids, roles, mask = (np.zeros((len(encoded), windows, tokens), dtype=np.int64) for _ in range(3))
    for row, one in enumerate(encoded):
        for window, window_ids in enumerate(one.ids):
            ids[row, window, : len(window_ids)] = window_ids
            roles[row, window, : len(window_ids)] = one.roles[window]
            mask[row, window, : len(window_ids)] = 1
    return Batch(ids, roles, mask)


def group(encoded: Sequence[Encoded], words: int) -> list[list[int]]:
    """Indices of cases grouped for batching: equal window count, near-equal length, up to `words` padded tokens."""
    order = sorted(range(len(encoded)), key=lambda index: encoded[index].shape)
    groups: list[list[int]] = []
    for index in order:
        windows, tokens = encoded[index].shape
        alike = bool(groups) and encoded[groups[-1][0]].shape[0] == windows
        if alike and (len(groups[-1]) + 1) * windows * tokens <= words:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups

"""What is done to the words of training cases, so that the network meets calls as recognisers write them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from triage.encode import ROLES, Encoded, special

_PUNCTUATION = ",.!?;:、。~…\"'()《》“”"


@dataclass(frozen=True, slots=True)
class Noise:
    """`hidden`: share of words masked in every case; `rough`: share of cases written anew as a recogniser would.

    A rough case has no punctuation and no speakers, and some of its turns run together. The rest are token ids.
    """

    hidden: float
    rough: float
    punctuation: frozenset[int]
    never_hidden: frozenset[int]
    mask: int
    separator: int

    @classmethod
    def of(cls, tokenizer: Tokenizer, hidden: float, rough: float) -> Noise:
        """Noise in terms of a tokenizer's ids."""
        found = (tokenizer.token_to_id(mark) for mark in _PUNCTUATION)
        mask, separator, *others = (special(tokenizer, name) for name in ("[MASK]", "[SEP]", "[CLS]", "[UNK]"))
        punctuation = frozenset(one for one in found if one is not None)
        return cls(hidden, rough, punctuation, frozenset((mask, separator, *others)), mask, separator)


def disturb(encoded: Encoded, noise: Noise, rng: np.random.Generator) -> Encoded:
    """A disturbed copy of a case; word origins are dropped, since nothing points back from training."""
    rough = rng.random() < noise.rough
    ids, roles = [], []
    for window, window_roles in zip(encoded.ids, encoded.roles, strict=True):
        keep = _kept(window, noise, rng) if rough else range(len(window))
        hide = (rng.random(len(window)) < noise.hidden).tolist()
        ids.append([noise.mask if hide[i] and window[i] not in noise.never_hidden else window[i] for i in keep])
        roles.append([ROLES["unknown"] if rough else window_roles[i] for i in keep])
    return Encoded(ids, roles, [])


def _kept(window: list[int], noise: Noise, rng: np.random.Generator) -> list[int]:
    """Positions that stay: no punctuation, and four in five of the separators, the last one always."""
    merged = (rng.random(len(window)) < 0.2).tolist()
    last = len(window) - 1
    return [
        i
        for i, token in enumerate(window)
        if token not in noise.punctuation and not (token == noise.separator and merged[i] and i != last)
    ]

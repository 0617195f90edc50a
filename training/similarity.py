"""How alike the cases are: each one's nearest neighbour by character n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from training.cases import LabelledCase

_ROWS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The nearest other record: positions of both in the list given, and the cosine similarity, 0 to 1."""

    record: int
    other: int
    similarity: float


def customer_words(record: LabelledCase) -> str:
    """All words of a case but the agent's, whose phrases recur rightly."""
    return "\n".join(said.text for said in record.case.utterances() if said.speaker != "agent")


def nearest(records: Sequence[LabelledCase]) -> list[Neighbour]:
    """The nearest neighbour of every record by TF-IDF of 4-character sequences; members of a pair are not compared."""
    table = TfidfVectorizer(analyzer="char", ngram_range=(4, 4), sublinear_tf=True).fit_transform(
        [customer_words(record) for record in records]
    )
    stories = np.array([record.extra.get("pair", f"#{row}") for row, record in enumerate(records)])
    found = []
    for first in range(0, len(records), _ROWS_AT_ONCE):
        part = np.asarray((table[first : first + _ROWS_AT_ONCE] @ table.T).todense())
        part[stories[first : first + _ROWS_AT_ONCE, None] == stories[None, :]] = -1
        for row, other in enumerate(part.argmax(1)):
            found.append(Neighbour(first + row, int(other), float(part[row, other])))
    return found

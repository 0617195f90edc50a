"""How alike the cases are: by character n-grams of the customer's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer

from training.cases import LabelledCase

_ROWS_AT_ONCE = 512
_SAME = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The nearest other record: positions of both in the list given, and the cosine similarity, 0 to 1."""

    record: int
    other: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """Every record's nearest neighbour, and all pairs of other stories that are at least as alike as was asked."""

    nearest: list[Neighbour]
    pairs: list[Neighbour]


def customer_words(record: LabelledCase) -> str:
    """All words of a case but the agent's, whose phrases recur rightly."""
    return "\n".join(said.text for said in record.case.utterances() if said.speaker != "agent")


def likeness(records: Sequence[LabelledCase], alike: float = 0.5) -> Likeness:
    """Compare all records by TF-IDF of 4-character sequences; members of a `pair` are not compared.

    Exact; 50,000 short cases take about half a minute and 1 GB. Copies are paired with the first of them only, so that
    a phrase that recurs thousands of times does not make millions of pairs.
    """
    words = [customer_words(record) for record in records]
    stories = np.array([record.extra.get("pair") or f"#{row}" for row, record in enumerate(records)])
    first_of: dict[str, int] = {}
    firsts = np.array([first_of.setdefault(text, row) for row, text in enumerate(words)], dtype=np.int64)
    rows = np.unique(firsts)
    found = _compare(_sequences([words[row] for row in rows]), stories[rows], alike)
    nearest = [
        Neighbour(row, int(rows[found.nearest[place].other]), found.nearest[place].similarity)
        for row, place in enumerate(np.searchsorted(rows, firsts))
    ]
    pairs = [Neighbour(int(rows[pair.record]), int(rows[pair.other]), pair.similarity) for pair in found.pairs]
    for row in np.flatnonzero((firsts < np.arange(len(records))) & (stories != stories[firsts])):
        first = int(firsts[row])
        pairs.append(Neighbour(first, int(row), 1.0))
        nearest[row], nearest[first] = Neighbour(int(row), first, 1.0), Neighbour(first, int(row), 1.0)
    return Likeness(nearest, pairs)


def _compare(table: csr_matrix, stories: NDArray[Any], alike: float) -> Likeness:
    """Likeness of different texts, rows of length 1."""
    nearest: list[Neighbour] = []
    pairs: list[Neighbour] = []
    for first, block in _blocks(table):
        rows, others, values = _other_stories(block, first, stories)
        best, similarity = _best(rows, others, values, block.shape[0])
        nearest += map(Neighbour, range(first, first + len(best)), best.tolist(), similarity.tolist())
        close = (values >= alike) & (rows + first < others)
        columns = ((rows + first)[close], others[close], values[close].clip(max=1))
        pairs += map(Neighbour, *(column.tolist() for column in columns))
    return Likeness(nearest, pairs)


def groups_of(size: int, pairs: Sequence[Neighbour]) -> NDArray[np.int64]:
    """A number a record `[size]`, the same for records that a chain of pairs connects."""
    places = ([pair.record for pair in pairs], [pair.other for pair in pairs])
    links = coo_array((np.ones(len(pairs)), places), shape=(size, size))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def is_same(pair: Neighbour) -> bool:
    """Whether the words are the same, or made of the same sequences."""
    return pair.similarity >= _SAME


def _sequences(texts: Sequence[str]) -> csr_matrix:
    """Rows of length 1 over the sequences that occur in more than one text: the others match nothing."""
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(4, 4), sublinear_tf=True)
    try:
        table = vectorizer.fit_transform(texts)
    except ValueError:  # no text has four characters
        return csr_matrix((len(texts), 1))
    return table[:, np.diff(table.tocsc().indptr) > 1]


def _blocks(table: csr_matrix) -> Iterator[tuple[int, Any]]:
    turned = table.T.tocsr()
    for first in range(0, table.shape[0], _ROWS_AT_ONCE):
        yield first, (table[first : first + _ROWS_AT_ONCE] @ turned).tocoo()


def _other_stories(
    block: Any, first: int, stories: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    rows, others, values = block.row.astype(np.int64), block.col.astype(np.int64), block.data
    keep = stories[rows + first] != stories[others]
    return rows[keep], others[keep], values[keep]


def _best(
    rows: NDArray[np.int64], others: NDArray[np.int64], values: NDArray[np.float64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Position and value of the highest entry of every row, the first of equals; 0 and 0 for a row without entries."""
    best, highest = np.zeros(size, dtype=np.int64), np.zeros(size)
    order = np.lexsort((-others, values))
    best[rows[order]], highest[rows[order]] = others[order], values[order]
    return best, highest

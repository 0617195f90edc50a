"""The most probable combination of labels that contradicts no rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from triage.taxonomy import Code, Taxonomy

Rules = Sequence[Mapping[str, Sequence[Code]]]
_SMALLEST = 1e-12
_MOST_COMBINATIONS = 1_000_000


def best_consistent(weighted: Mapping[str, NDArray[np.float64]], rules: Rules, taxonomy: Taxonomy) -> dict[str, int]:
    """The label position of each head that maximises the product of `weighted` scores over all allowed combinations.

    A head that no rule names is decided alone. A label with weight 0 is taken only where nothing else is allowed.
    """
    joint = _named(rules, taxonomy)
    chosen = {name: int(scores.argmax()) for name, scores in weighted.items()}
    if joint:
        table = _allowed(joint, _frozen(rules), taxonomy)
        total = sum(
            np.log(np.maximum(weighted[name], _SMALLEST))[table[:, column]] for column, name in enumerate(joint)
        )
        best = table[int(np.argmax(total))]
        chosen |= {name: int(best[column]) for column, name in enumerate(joint)}
    return chosen


def contradiction(rules: Rules, taxonomy: Taxonomy) -> str:
    """Why no answer can be given under these rules, which name heads of one label; empty if one can."""
    joint = _named(rules, taxonomy)
    combinations = math.prod(len(taxonomy.head(name).codes) for name in joint)
    if combinations > _MOST_COMBINATIONS:
        return (
            f"consistency: the heads named may have at most {_MOST_COMBINATIONS:,} combinations of labels, "
            f"{list(joint)} have {combinations:,}; name fewer heads"
        )
    if joint and not len(_allowed(joint, _frozen(rules), taxonomy)):
        return f"consistency: no combination of labels of {list(joint)} fits all rules; change or remove one"
    return ""


def _named(rules: Rules, taxonomy: Taxonomy) -> tuple[str, ...]:
    return tuple(head.name for head in taxonomy.heads if any(head.name in rule for rule in rules))


def _frozen(rules: Rules) -> tuple[tuple[tuple[str, tuple[Code, ...]], ...], ...]:
    return tuple(tuple((head, tuple(codes)) for head, codes in rule.items()) for rule in rules)


@lru_cache(maxsize=16)
def _allowed(
    heads: tuple[str, ...], rules: tuple[tuple[tuple[str, tuple[Code, ...]], ...], ...], taxonomy: Taxonomy
) -> NDArray[np.int64]:
    """All allowed combinations of label positions, `[combinations, heads]`."""
    sizes = [len(taxonomy.head(name).codes) for name in heads]
    table = np.indices(sizes).reshape(len(sizes), -1).T
    keep = np.ones(len(table), dtype=bool)
    for (first, first_codes), *then in rules:
        applies = _has(table, heads, first, first_codes, taxonomy)
        for name, codes in then:
            keep &= ~applies | _has(table, heads, name, codes, taxonomy)
    return table[keep]


def _has(
    table: NDArray[np.int64], heads: tuple[str, ...], name: str, codes: Sequence[Code], taxonomy: Taxonomy
) -> NDArray[np.bool_]:
    positions = [taxonomy.head(name).index(code) for code in codes]
    found: NDArray[np.bool_] = np.isin(table[:, heads.index(name)], positions)
    return found

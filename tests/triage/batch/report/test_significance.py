"""The test against scipy's figures and its own laws, and the correction against a table worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.batch.report.significance import Share, adjusted, directions, p_value

COUNTS = st.integers(0, 400)


def test_p_value_is_that_of_scipy() -> None:
    chi2_contingency = pytest.importorskip("scipy.stats").chi2_contingency
    for a, n, b, m in ((30, 100, 15, 100), (8, 200, 20, 210), (50, 100, 50, 100), (400, 9000, 330, 8700)):
        table = [[a, n - a], [b, m - b]]
        expected = chi2_contingency(table, correction=False, lambda_="log-likelihood").pvalue
        assert p_value(Share(a, n), Share(b, m)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0, 0), (5, 10)),
        ((5, 10), (0, 0)),
        ((0, 50), (0, 60)),
        ((50, 50), (60, 60)),
        ((3, 10), (0, 10)),
        ((1, 1), (0, 1)),
    ],
)
def test_nothing_is_claimed_of_too_little(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert p_value(Share(*one), Share(*other)) == 1.0


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_order_does_not_matter(a: int, more: int, b: int, yet_more: int) -> None:
    one, other = Share(a, a + more), Share(b, b + yet_more)
    p = p_value(one, other)
    assert 0 <= p <= 1
    assert p == pytest.approx(p_value(other, one))


def test_benjamini_hochberg_by_hand() -> None:
    assert adjusted([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert adjusted([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_correction_never_makes_surer(values: list[float]) -> None:
    assert all(rate >= value - 1e-12 for rate, value in zip(adjusted(values), values, strict=True))


def test_many_equal_shares_are_not_called_different() -> None:
    same = [(Share(50 + place % 3, 500), Share(500, 5000)) for place in range(40)]
    assert directions(same) == [0] * 40
    assert directions([*same, (Share(150, 500), Share(500, 5000)), (Share(5, 500), Share(500, 5000))])[-2:] == [1, -1]

"""The paired comparison against SciPy's exact test and interval."""

from __future__ import annotations

import pytest
from scipy import stats

from cnncore.figures.paired import compare, words


@pytest.mark.parametrize(("a_only", "b_only", "count"), [(15, 4, 100), (0, 5, 50), (53, 41, 10_000), (621, 12, 1_000)])
def test_against_scipy(a_only: int, b_only: int, count: int) -> None:
    found = compare(a_only, b_only, count)
    exact = stats.binomtest(a_only, a_only + b_only, 0.5)
    interval = exact.proportion_ci(0.95, method="exact")
    scale = (a_only + b_only) / count
    assert found.p == pytest.approx(exact.pvalue, rel=1e-9)
    assert found.low == pytest.approx((2 * interval.low - 1) * scale, abs=1e-9)
    assert found.high == pytest.approx((2 * interval.high - 1) * scale, abs=1e-9)
    assert found.difference == pytest.approx((a_only - b_only) / count)


@pytest.mark.parametrize("a_only", range(13))
def test_interval_and_test_agree(a_only: int) -> None:
    found = compare(a_only, 12 - a_only, 40)
    assert found.distinguishable == (found.p < 0.05)


def test_sides_are_alike() -> None:
    one, other = compare(20, 7, 500), compare(7, 20, 500)
    assert (one.low, one.high, one.p) == pytest.approx((-other.high, -other.low, other.p))


def test_words() -> None:
    assert "not distinguishable" in words(compare(53, 41, 10_000), "A", "B")
    assert "A is better than B" in words(compare(30, 5, 1_000), "A", "B")
    assert "B is better than A" in words(compare(5, 30, 1_000), "A", "B")
    assert "−2.50 points" in words(compare(5, 30, 1_000), "A", "B")
    assert "very same images" in words(compare(0, 0, 1_000), "A", "B")

"""Intervals against SciPy's and against values that can be computed by hand."""

from __future__ import annotations

import math

import pytest
from scipy import stats
from scipy.special import stdtrit

from cnncore.runs.statistics import Difference, difference, mean_interval, paired, t_quantile, welch

A, B = [0.91, 0.93, 0.92, 0.95], [0.94, 0.96, 0.97, 0.95, 0.99]


@pytest.mark.parametrize("df", [0.6, 1, 1.5, 2, 3.7, 4, 10, 29.3, 100, 5_000])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_the_quantile_is_scipys(df: float, level: float) -> None:
    assert t_quantile(df, level) == pytest.approx(stdtrit(df, 0.5 + level / 2), rel=1e-9)


def test_the_quantile_of_one_degree_is_the_tangent() -> None:
    assert t_quantile(1) == pytest.approx(math.tan(0.475 * math.pi), rel=1e-10)


def test_mean_by_hand() -> None:
    # 1, 2, 3: deviation 1, so 2 ± 4.3027 / √3.
    mean = mean_interval([1, 2, 3])
    assert (mean.value, mean.count) == (2, 3)
    assert mean.high - 2 == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert mean.low + mean.high == pytest.approx(4)


def test_one_value_has_no_interval() -> None:
    assert mean_interval([0.9]).low == -math.inf


def _ends(found: Difference) -> tuple[float, float]:
    return found.low, found.high


def test_welch_is_scipys() -> None:
    expected = stats.ttest_ind(A, B, equal_var=False).confidence_interval(0.95)
    assert _ends(welch(A, B)) == pytest.approx((expected.low, expected.high), rel=1e-8)


def test_paired_is_scipys() -> None:
    expected = stats.ttest_rel(A, B[:4]).confidence_interval(0.95)
    assert _ends(paired(A, B[:4])) == pytest.approx((expected.low, expected.high), rel=1e-8)


def test_seeds_decide_about_pairing() -> None:
    first = dict(enumerate(A))
    assert difference(first, dict(enumerate(B))).method == "paired"
    assert difference(first, dict(enumerate(B))).counts == (4, 4)
    assert difference(first, dict(enumerate(B, 3))).method == "welch", "one shared seed makes no pairs"
    assert difference(first, dict(enumerate(B, 2))).method == "welch", "half of the seeds would be thrown away"
    assert difference(first, {0: 0.99}).method == "none"


def test_no_claim_with_one_seed() -> None:
    found = welch([0.1], B)
    assert not found.is_distinguishable
    assert found.high == math.inf


def test_what_is_distinguishable() -> None:
    assert not welch([0.90, 0.92], [0.91, 0.93]).is_distinguishable
    assert welch([0.900, 0.901, 0.902], [0.950, 0.951, 0.952]).is_distinguishable
    # The same noise on both sides hides the difference from Welch, not from the pairs.
    noisy = [0.80, 0.90, 0.70, 0.85]
    better = [value + step for value, step in zip(noisy, (0.010, 0.011, 0.009, 0.010), strict=True)]
    assert not welch(better, noisy).is_distinguishable
    assert paired(better, noisy).is_distinguishable


def test_equal_values_make_no_difference() -> None:
    found = welch([0.9, 0.9], [0.9, 0.9])
    assert _ends(found) == (0, 0)
    assert not found.is_distinguishable

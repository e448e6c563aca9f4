"""What a few seeds say about a mean and about a difference: t-intervals, for samples of three or five runs.

Student, "The probable error of a mean", Biometrika 6 (1908); B. L. Welch, "The generalization of Student's problem when
several different population variances are involved", Biometrika 34 (1947). The t quantile is computed here, because the
web server would otherwise load SciPy (27 MB, 0.3 s) for this one number; the tests compare it with SciPy's.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Method = Literal["paired", "welch", "none"]


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A mean over `count` values with its 95 % t-interval; without a second value the interval is infinite."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Mean of `a` minus mean of `b` with its 95 % interval.

    Attributes:
        method: `paired` over the seeds that both have, `welch` for independent samples, `none` where a side has fewer
            than two values; then the interval is infinite and nothing is claimed.
        counts: Values of either side that were used.
    """

    value: float
    low: float
    high: float
    method: Method
    counts: tuple[int, int]

    @property
    def is_distinguishable(self) -> bool:
        """Whether the interval excludes 0."""
        return self.method != "none" and not self.low <= 0 <= self.high


def mean_interval(values: Sequence[float]) -> Mean:
    """The mean of at least one value and where, with 95 % confidence, that of many more would lie."""
    mean, count = statistics.fmean(values), len(values)
    half = t_quantile(count - 1) * statistics.stdev(values) / math.sqrt(count) if count > 1 else math.inf
    return Mean(value=mean, low=mean - half, high=mean + half, count=count)


def difference(a: Mapping[int, float], b: Mapping[int, float]) -> Difference:
    """How much larger the mean of `a` is than that of `b`; both are values by seed.

    Runs with one seed see the same order of images, so they are compared in pairs where every seed of one side is also
    one of the other's and there are at least two; the surplus of the larger side is then left out.
    """
    shared = sorted(a.keys() & b.keys())
    if len(shared) >= 2 and len(shared) == min(len(a), len(b)):
        return paired([a[seed] for seed in shared], [b[seed] for seed in shared])
    return welch(list(a.values()), list(b.values()))


def paired(a: Sequence[float], b: Sequence[float]) -> Difference:
    """The difference of at least two pairs: the t-interval of the differences."""
    mean = mean_interval([left - right for left, right in zip(a, b, strict=True)])
    return Difference(value=mean.value, low=mean.low, high=mean.high, method="paired", counts=(len(a), len(b)))


def welch(a: Sequence[float], b: Sequence[float]) -> Difference:
    """The difference of two independent samples whose variances need not be equal."""
    value, counts = statistics.fmean(a) - statistics.fmean(b), (len(a), len(b))
    if min(counts) < 2:
        return Difference(value=value, low=-math.inf, high=math.inf, method="none", counts=counts)
    parts = [statistics.variance(sample) / len(sample) for sample in (a, b)]
    error = sum(parts)
    half = 0.0
    if error > 0:
        # Welch and Satterthwaite's degrees of freedom.
        df = error**2 / sum(part**2 / (count - 1) for part, count in zip(parts, counts, strict=True))
        half = t_quantile(df) * math.sqrt(error)
    return Difference(value=value, low=value - half, high=value + half, method="welch", counts=counts)


def t_quantile(df: float, level: float = 0.95) -> float:
    """The two-sided quantile of Student's t: `|t|` stays below it with probability `level`; `df` may be fractional."""
    low, high = 0.0, 1.0
    while _outside(high, df) > 1 - level:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _outside(middle, df) > 1 - level else (low, middle)
        if high - low < 1e-12 * high:
            break
    return high


def _outside(t: float, df: float) -> float:
    """Probability of a larger `|t|`: the regularized incomplete beta function I_x(df/2, 1/2) at x = df / (df + t²)."""
    x = df / (df + t * t)
    a, b = df / 2, 0.5
    if x >= 1:
        return 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    # The fraction converges fast on one side of this point only; the other side is its mirror image.
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _beta_fraction(x, a, b) / a
    return 1 - math.exp(log_front) * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    result = d
    for m in range(1, 1_000):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + factor * d or tiny)
            c = 1 + factor / c or tiny
            result *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return result

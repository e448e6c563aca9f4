"""Two networks on the same images: whether their difference is more than chance.

Q. McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12 (1947), in
its exact form: only the images on which one is right and the other wrong tell anything, and without a difference each
of them is as likely to be one as the other. The interval is that of Clopper and Pearson (1934) for their share, so it
contains 0 exactly where the test does not reject.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

ERROR = 0.05
"""1 minus the confidence of intervals."""
_HALVINGS = 50


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Right answers of networks A and B on `count` images.

    Attributes:
        a_only: Images on which A is right and B is wrong.
        b_only: The reverse.
        count: All images.
        low: Lower end of the 95 % interval of A's accuracy minus B's, from -1 to 1.
        high: Upper end.
        p: Of the exact test: how probable a split this uneven is where both are equally good.
    """

    a_only: int
    b_only: int
    count: int
    low: float
    high: float
    p: float

    @property
    def difference(self) -> float:
        """A's accuracy minus B's."""
        return (self.a_only - self.b_only) / self.count if self.count else 0.0

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def compare(a_only: int, b_only: int, count: int) -> Paired:
    """The difference of two networks from the images on which only one of them is right."""
    discordant = a_only + b_only
    if not discordant:
        return Paired(a_only=0, b_only=0, count=count, low=0.0, high=0.0, p=1.0)
    least, most = _share(a_only, discordant), 1 - _share(b_only, discordant)
    scale = discordant / count
    return Paired(
        a_only=a_only,
        b_only=b_only,
        count=count,
        low=(2 * least - 1) * scale,
        high=(2 * most - 1) * scale,
        p=min(1.0, 2 * _tail(max(a_only, b_only), discordant, 0.5)),
    )


def _share(hits: int, count: int) -> float:
    """The share below which `hits` or more of `count` have a probability under half the error; 0 for no hit."""
    low, high = 0.0, 1.0 if hits else 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _tail(hits, count, middle) < ERROR / 2 else (low, middle)
    return low


def _tail(hits: int, count: int, share: float) -> float:
    """Probability of `hits` or more of `count` where each comes with probability `share`."""
    if share <= 0:
        return 0.0 if hits else 1.0
    if share >= 1:
        return 1.0
    logs = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, count + 1)))))
    k = np.arange(hits, count + 1)
    terms = logs[count] - logs[k] - logs[count - k] + k * math.log(share) + (count - k) * math.log1p(-share)
    return float(np.exp(terms).sum())


def words(paired: Paired, a: str, b: str) -> str:
    """The result in sentences.

    Args:
        paired: The counts.
        a: Name of network A.
        b: Name of network B.
    """
    if not paired.a_only + paired.b_only:
        return f"{a} and {b}: right on the very same images, so nothing tells them apart here."
    points, low, high = (100 * value for value in (paired.difference, paired.low, paired.high))
    p = "p < 0.001" if paired.p < 0.001 else f"p = {paired.p:.3f}"
    counts = f"Only {a} is right on {paired.a_only:,} images, only {b} on {paired.b_only:,}."
    interval = f"{points:+.2f} points (95 % interval {low:+.2f} to {high:+.2f}; exact McNemar test, {p})".replace(
        "-", "−"
    )
    if not paired.distinguishable:
        return f"{counts} The difference, {interval}, is compatible with none: not distinguishable on these images."
    better, worse = (a, b) if points > 0 else (b, a)
    return f"{counts} The difference is {interval}: on these images {better} is better than {worse}."

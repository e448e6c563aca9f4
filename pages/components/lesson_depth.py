"""What the lessons on activations and on residual connections share: many layers, several draws, powers of ten."""

from __future__ import annotations

import math

import numpy as np

from cnncore.lessons.depth import Array, Initialization

INITIALIZATIONS: dict[Initialization, str] = {
    "small": "Too small",
    "glorot": "Glorot",
    "he": "He",
    "large": "Too large",
}
_LEAST_DECADES = 2


def spread(values: Array) -> Array:
    """Median, smallest and largest over the last axis, (3, …); not a number where there is none."""
    return np.stack([np.median(values, axis=-1), values.min(axis=-1), values.max(axis=-1)])


def logarithms(values: Array) -> Array:
    """To the base of ten; 0 becomes minus infinity."""
    with np.errstate(divide="ignore"):
        return np.log10(values)


def decades(logs: np.ndarray) -> list[int]:
    """Whole powers of ten below and above all finite logarithms and 1, at least two apart; one more below where some
    are of 0, which lies at the bottom.
    """
    finite = logs[np.isfinite(logs)]
    low = math.floor(finite.min(initial=0.0))
    high = math.ceil(finite.max(initial=0.0))
    low -= max(0, _LEAST_DECADES - (high - low)) + int(np.isneginf(logs).any())
    return [low, high]

"""How much each pixel matters to an output, by sending gradients down: `cnncore.lessons.reach` is compared with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from cnncore.errors import ConfigError
from cnncore.lessons.fields import Window, sizes_through

Array = npt.NDArray[np.float64]
Weights = Literal["uniform", "random"]


def effective_field(
    windows: Sequence[Window], size: int, row: int, column: int, *, weights: Weights = "random", draws: int = 20
) -> Array:
    """How much each pixel matters to one output of a stack of linear layers, float64 (size, size), at most 1.

    Args:
        windows: The layers, input side first.
        size: Height and width of the image in pixels.
        row: Of the output.
        column: Of the output.
        weights: All alike, or drawn from a normal distribution: then the root mean square over the draws.
        draws: How often weights are drawn, with the seeds from 0 on.
    """
    sizes = sizes_through(windows, size)
    total = np.zeros((size, size))
    seeds = range(draws if weights == "random" else 1)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        gradient = np.zeros((sizes[-1], sizes[-1]))
        gradient[row, column] = 1
        for window, before in zip(reversed(windows), reversed(sizes[:-1]), strict=True):
            shape = (window.kernel, window.kernel)
            kernel = rng.normal(size=shape) if weights == "random" and not window.pooling else np.ones(shape)
            gradient = _backwards(gradient, kernel / window.kernel, window, before)
        total += gradient**2
    matter = np.sqrt(total / len(seeds))
    return matter / max(float(matter.max()), np.finfo(np.float64).tiny)


def share_within(field: Array, side: int) -> float:
    """Share of the field's sum of squares in the middle square of `side` pixels around its center of mass."""
    squares = field**2
    total = float(squares.sum())
    if total == 0:
        return 0.0
    middles = [float((squares.sum(axis=1 - axis) * np.arange(field.shape[axis])).sum() / total) for axis in (0, 1)]
    top, left = (max(round(middle - (side - 1) / 2), 0) for middle in middles)
    return float(squares[top : top + side, left : left + side].sum() / total)


def _backwards(gradient: Array, kernel: Array, window: Window, size: int) -> Array:
    """The gradient with respect to a layer's input of `size` pixels along each side."""
    padded = np.zeros((size + 2 * window.padding,) * 2)
    reach = window.stride * (len(gradient) - 1) + 1
    for row in range(window.kernel):
        for column in range(window.kernel):
            top, left = row * window.dilation, column * window.dilation
            padded[top : top + reach : window.stride, left : left + reach : window.stride] += (
                kernel[row, column] * gradient
            )
    end = window.padding + size
    return padded[window.padding : end, window.padding : end]


def random_windows(seed: int) -> tuple[list[Window], int, int, int]:
    """Layers that fit an image, its size, and a place of the output."""
    rng = np.random.default_rng(seed)
    while True:
        windows = [
            Window(
                kernel=int(rng.integers(1, 6)),
                stride=int(rng.integers(1, 3)),
                padding=int(rng.integers(0, 3)),
                dilation=int(rng.integers(1, 4)),
            )
            for _ in range(int(rng.integers(1, 5)))
        ]
        size = int(rng.integers(12, 40))
        try:
            last = sizes_through(windows, size)[-1]
        except ConfigError:
            continue
        return windows, size, int(rng.integers(last)), int(rng.integers(last))

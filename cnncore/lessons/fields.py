"""What one output sees: theoretically, and how much of that really matters to it.

Luo et al.: Understanding the effective receptive field in deep convolutional networks, 2016: the gradient of an output
with respect to the pixels falls off from the middle like a Gaussian, so that the edge of the theoretical receptive
field hardly counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cnncore.arithmetic import ReceptiveField, conv_output_size, conv_params
from cnncore.errors import ConfigError

Array = npt.NDArray[np.float64]
Weights = Literal["uniform", "random"]


@dataclass(frozen=True, kw_only=True)
class Window:
    """A layer with a window.

    Attributes:
        kernel: Its height and width.
        stride: Pixels from one place to the next.
        padding: Pixels added on each side.
        dilation: Pixels from one value of the kernel to the next.
        pooling: Whether it takes the mean: a convolution whose weights are all alike and never drawn.
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    pooling: bool = False


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The pixels that an output sees along one side: from `first` up to, not with, `end`, before the image's edges."""

    first: int
    end: int

    def inside(self, size: int) -> tuple[int, int]:
        """The same, cut at the edges of an image of `size` pixels."""
        return max(self.first, 0), min(self.end, size)


def sizes_through(windows: Sequence[Window], size: int) -> tuple[int, ...]:
    """Pixels along a side, of the image and after each layer.

    Raises:
        ConfigError: if a window does not fit.
    """
    found = [size]
    for window in windows:
        found.append(conv_output_size(found[-1], window.kernel, window.stride, window.padding, window.dilation))
    return tuple(found)


def seen_by(windows: Sequence[Window], place: int) -> Seen:
    """The pixels along a side that the output at `place` sees, in theory."""
    field = ReceptiveField()
    for window in windows:
        field = field.through(window.kernel, window.stride, window.padding, window.dilation)
    first = field.start + place * field.jump - field.size / 2
    return Seen(first=round(first), end=round(first) + field.size)


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

    Raises:
        ConfigError: if a window does not fit, or there is no such output.
    """
    sizes = sizes_through(windows, size)
    if not (0 <= row < sizes[-1] and 0 <= column < sizes[-1]):
        raise ConfigError(
            "place", f"There is no output {row}, {column}.", f"There are {sizes[-1]} × {sizes[-1]} outputs."
        )
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


def stack_params(kernel: int, layers: int, channels: int) -> int:
    """Trainable numbers, without biases, of equal convolutions that keep the number of channels."""
    return layers * conv_params(channels, channels, kernel, bias=False)

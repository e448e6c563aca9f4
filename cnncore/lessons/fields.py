"""What one output of a stack of windows sees, in theory; how much of it counts stands in `cnncore.lessons.reach`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.arithmetic import ReceptiveField, conv_output_size, conv_params
from cnncore.lessons.sliding import Sliding, convolve

Pixels = npt.NDArray[np.uint8]


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


def mean_maps(gray: Pixels, windows: Sequence[Window]) -> list[Pixels]:
    """An image, uint8 (side, side), after each layer, if each takes the mean of what its window covers: uint8.

    Padding counts as black.

    Raises:
        ConfigError: if a window does not fit.
    """
    maps = gray[None].astype(np.float64)
    found: list[Pixels] = []
    for window in windows:
        shape = (window.kernel, window.kernel)
        sliding = Sliding(kernel=shape, stride=window.stride, padding=window.padding, dilation=window.dilation)
        maps = convolve(maps, np.full((1, 1, *shape), 1 / window.kernel**2), sliding)
        found.append(np.rint(maps[0]).astype(np.uint8))
    return found


def stack_params(kernel: int, layers: int, channels: int) -> int:
    """Trainable numbers, without biases, of equal convolutions that keep the number of channels."""
    return layers * conv_params(channels, channels, kernel, bias=False)

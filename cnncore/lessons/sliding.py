"""A window that slides over an image: convolution and pooling.

Names and results are those of torch's `conv2d` and `max_pool2d`; tests compare hundreds of random settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cnncore.arithmetic import conv_output_size
from cnncore.errors import ConfigError
from cnncore.lessons.stacks import check_groups, size_formula

Array = npt.NDArray[np.float64]
PaddingMode = Literal["zeros", "reflect"]
Indices = npt.NDArray[np.int64]
Sides = tuple[int, int, int, int]
"""Rows above, rows below, columns left, columns right."""


@dataclass(frozen=True, kw_only=True)
class Sliding:
    """How a window moves over an image.

    Attributes:
        kernel: Its height and width.
        stride: Pixels from one place to the next, along both sides.
        padding: Pixels added on each side, or `same`: as many as keep the size at stride 1 (one more below and on the
            right where the number is odd, as TensorFlow and torch have it).
        padding_mode: What is added: zeros, or the image mirrored at its edge.
        dilation: Pixels from one value of the kernel to the next; 1 leaves none out.
    """

    kernel: tuple[int, int]
    stride: int = 1
    padding: int | Literal["same"] = 0
    padding_mode: PaddingMode = "zeros"
    dilation: int = 1

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width in pixels that the window covers, gaps included."""
        height, width = self.kernel
        return self.dilation * (height - 1) + 1, self.dilation * (width - 1) + 1

    @property
    def sides(self) -> Sides:
        """Pixels added on the four sides.

        Raises:
            ConfigError: if `same` is asked for with a stride, which has no size to keep.
        """
        if self.padding != "same":
            return self.padding, self.padding, self.padding, self.padding
        if self.stride != 1:
            raise ConfigError("padding", "Same padding keeps the size, which a stride changes.", "Set the stride to 1.")
        (height, width) = (extent - 1 for extent in self.extent)
        return height // 2, height - height // 2, width // 2, width - width // 2

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the result for an image of this height and width.

        Raises:
            ConfigError: if the window does not fit, or a mirrored edge is longer than the image.
        """
        top, bottom, left, right = self.sides
        self._check_mirror(size)
        rows = conv_output_size(size[0] + top + bottom, self.kernel[0], self.stride, 0, self.dilation)
        columns = conv_output_size(size[1] + left + right, self.kernel[1], self.stride, 0, self.dilation)
        return rows, columns

    def _check_mirror(self, size: tuple[int, int]) -> None:
        top, bottom, left, right = self.sides
        if self.padding_mode == "reflect" and (max(top, bottom) >= size[0] or max(left, right) >= size[1]):
            raise ConfigError(
                "padding",
                f"A mirrored edge of {max(self.sides)} pixels needs an image of more pixels than that along each side.",
                "Take less padding, or zeros.",
            )

    def padded(self, image: Array) -> Array:
        """The image (..., H, W) with what is added around it."""
        top, bottom, left, right = self.sides
        self._check_mirror((image.shape[-2], image.shape[-1]))
        widths = [(0, 0)] * (image.ndim - 2) + [(top, bottom), (left, right)]
        return np.pad(image, widths, mode="constant" if self.padding_mode == "zeros" else "reflect")

    def covered(self, size: tuple[int, int]) -> tuple[Indices, Indices]:
        """Rows and columns of the padded image that the window covers: (H', kernel height) and (W', kernel width).

        The patch at a place is where its rows and its columns cross.
        """
        rows, columns = (
            np.arange(places)[:, None] * self.stride + np.arange(length) * self.dilation
            for places, length in zip(self.output_size(size), self.kernel, strict=True)
        )
        return rows, columns

    def formula(self, size: tuple[int, int]) -> str:
        """The height of the result with the numbers in it, as students write it.

        Raises:
            ConfigError: if the window does not fit.
        """
        top, bottom, _, _ = self.sides
        if top == bottom:
            return size_formula(size[0], self.kernel[0], self.stride, top, self.dilation)
        found = self.output_size(size)[0]
        return f"⌊({size[0]} + {top} + {bottom} − {self.extent[0]}) / {self.stride}⌋ + 1 = {found}"

    def windows(self, image: Array) -> Array:
        """What the window covers at every place: (..., H', W', kernel height, kernel width)."""
        padded = self.padded(image)
        rows, columns = self.output_size((image.shape[-2], image.shape[-1]))
        found = np.lib.stride_tricks.sliding_window_view(padded, self.extent, axis=(-2, -1))
        found = found[..., :: self.stride, :: self.stride, :: self.dilation, :: self.dilation]
        return found[..., :rows, :columns, :, :]


def convolve(
    image: Array, kernels: Array, sliding: Sliding, *, bias: Array | None = None, groups: int = 1, flip: bool = False
) -> Array:
    """The maps that filters make of an image, float64 (F, H', W').

    What networks call convolution is cross-correlation; the true one turns each kernel by 180° first.

    Args:
        image: (C, H, W).
        kernels: One filter each, (F, C / groups, height, width).
        sliding: How they move.
        bias: (F,); zeros if not given.
        groups: Groups of channels that are convolved by themselves.
        flip: Whether the kernels are turned first.

    Raises:
        ConfigError: if the kernels do not fit the image or the groups.
    """
    maps = channel_sums(image, kernels, sliding, groups=groups, flip=flip).sum(axis=1)
    return maps + (0.0 if bias is None else bias[:, None, None])


def channel_sums(image: Array, kernels: Array, sliding: Sliding, *, groups: int = 1, flip: bool = False) -> Array:
    """What each channel adds to each map, float64 (F, C / groups, H', W'): arguments and errors as of `convolve`."""
    _check_channels(image, kernels, groups)
    kernels = flipped(kernels) if flip else kernels
    windows = sliding.windows(image)
    filters, inside = len(kernels) // groups, len(image) // groups
    maps = [
        np.einsum(
            "chwij,fcij->fchw",
            windows[group * inside : (group + 1) * inside],
            kernels[group * filters : (group + 1) * filters],
        )
        for group in range(groups)
    ]
    return np.concatenate(maps)


def seen_channels(channels: int, filters: int, groups: int, place: int) -> range:
    """The channels that a filter sees, by its place: those of its group."""
    inside = channels // groups
    first = place // (filters // groups) * inside
    return range(first, first + inside)


def flipped(kernels: Array) -> Array:
    """Each kernel (..., height, width) turned by 180°."""
    return kernels[..., ::-1, ::-1]


def pool(image: Array, kernel: int, stride: int, kind: Literal["max", "average"]) -> Array:
    """Pooling of maps (C, H, W) without padding: the largest value of each window, or the mean of it, (C, H', W').

    Raises:
        ConfigError: if the window does not fit.
    """
    windows = Sliding(kernel=(kernel, kernel), stride=stride).windows(image)
    return (np.max if kind == "max" else np.mean)(windows, axis=(-2, -1))


def winners(image: Array, kernel: int, stride: int) -> npt.NDArray[np.intp]:
    """Which value of each window of maps (C, H, W) a maximum pooling keeps, (C, H', W').

    Counted row by row inside the window; the first one of several that are largest, as in torch.

    Raises:
        ConfigError: if the window does not fit.
    """
    windows = Sliding(kernel=(kernel, kernel), stride=stride).windows(image)
    return windows.reshape(*windows.shape[:3], kernel * kernel).argmax(axis=-1)


def _check_channels(image: Array, kernels: Array, groups: int) -> None:
    check_groups(len(image), len(kernels), groups)
    if kernels.shape[1] * groups != len(image):
        raise ConfigError(
            "kernel", f"The filters take {kernels.shape[1] * groups} channels, the image has {len(image)}."
        )

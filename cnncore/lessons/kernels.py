"""Kernels that image processing knew long before networks learned their own, and kernels as links write them.

A link has a kernel as its numbers, row by row, with commas between; the kernels of a filter for several channels follow
one another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.errors import ConfigError

Array = npt.NDArray[np.float64]
LARGEST = 7
"""Rows and columns of the largest kernel that the lesson takes."""
MOST = 99.0
"""Largest magnitude of a kernel's number."""
_DIGITS = 4
"""Significant digits of a number in a link."""


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A kernel for one channel.

    Attributes:
        title: What it is called.
        effect: What it does to an image, in one sentence.
        rows: Its numbers, top row first.
        divisor: What they are divided by.
    """

    title: str
    effect: str
    rows: tuple[tuple[float, ...], ...]
    divisor: float = 1.0

    @property
    def values(self) -> Array:
        """(height, width)."""
        return np.array(self.rows, np.float64) / self.divisor


KERNELS: dict[str, Kernel] = {
    "identity": Kernel(title="Identity", effect="Leaves the image as it is.", rows=((0, 0, 0), (0, 1, 0), (0, 0, 0))),
    "box_blur": Kernel(
        title="Box blur",
        effect="Each pixel becomes the mean of its neighborhood.",
        rows=((1, 1, 1), (1, 1, 1), (1, 1, 1)),
        divisor=9,
    ),
    "gaussian": Kernel(
        title="Gaussian blur",
        effect="A mean in which near pixels count more: binomial weights, close to a Gaussian of σ = 1.",
        rows=((1, 4, 6, 4, 1), (4, 16, 24, 16, 4), (6, 24, 36, 24, 6), (4, 16, 24, 16, 4), (1, 4, 6, 4, 1)),
        divisor=256,
    ),
    "sharpen": Kernel(
        title="Sharpen",
        effect="Adds to each pixel what distinguishes it from its four neighbors.",
        rows=((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    ),
    "edges": Kernel(
        title="Edges",
        effect="Zero where all neighbors are alike: what is left are edges in every direction (a discrete Laplacian).",
        rows=((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
    ),
    "sobel_x": Kernel(
        title="Sobel, left to right",
        effect="Large where it gets brighter from left to right: vertical edges.",
        rows=((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    ),
    "sobel_y": Kernel(
        title="Sobel, top to bottom",
        effect="Large where it gets brighter downwards: horizontal edges.",
        rows=((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    ),
    "emboss": Kernel(
        title="Emboss",
        effect="A relief lit from the upper left: edges that get brighter to the lower right turn bright, others dark.",
        rows=((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
    ),
    "shift": Kernel(
        title="Shift",
        effect="Moves the image by one pixel, and shows what flipping does: the true convolution moves the other way.",
        rows=((0, 0, 0), (1, 0, 0), (0, 0, 0)),
    ),
}
"""Sums of 1 keep the brightness; sums of 0 give 0 on plain areas."""


@dataclass(frozen=True, kw_only=True)
class ColorFilter:
    """A filter for red, green and blue: one kernel, times a weight for each channel.

    Attributes:
        title: What it is called.
        effect: What it answers to, in one sentence.
        kernel: Key of `KERNELS`, of 3 × 3 numbers.
        weights: Of red, green and blue.
    """

    title: str
    effect: str
    kernel: str
    weights: tuple[float, float, float]

    @property
    def values(self) -> Array:
        """(3, height, width)."""
        return np.array(self.weights)[:, None, None] * KERNELS[self.kernel].values


COLOR_FILTERS: dict[str, ColorFilter] = {
    "vertical": ColorFilter(
        title="Vertical edges",
        effect="The same kernel for all three channels: edges from left to right, whatever their color.",
        kernel="sobel_x",
        weights=(1, 1, 1),
    ),
    "red_green": ColorFilter(
        title="Red against green",
        effect="Red counts for it, green against it: above 0 where it is redder than green, about 0 on every gray.",
        kernel="box_blur",
        weights=(1, -1, 0),
    ),
    "blue_yellow": ColorFilter(
        title="Blue against yellow",
        effect="Blue counts for it, red and green, which make yellow, against it.",
        kernel="box_blur",
        weights=(-0.5, -0.5, 1),
    ),
    "red_edges": ColorFilter(
        title="Edges in red alone",
        effect="The kernels of green and blue are zeros, so that only the red channel counts.",
        kernel="edges",
        weights=(1, 0, 0),
    ),
}
"""Networks learn filters like these by themselves: edges of all colors, and one color against another."""


def read_kernel(text: str, channels: int = 1) -> Array:
    """The kernels of a filter that a link writes, (channels, n, n).

    Raises:
        ConfigError: if they are not square, of 1 × 1 to 7 × 7 numbers, or a number is none between −99 and 99.
    """
    parts = text.split(",")
    side = math.isqrt(len(parts) // channels)
    if not 1 <= side <= LARGEST or channels * side * side != len(parts):
        raise ConfigError(
            "kernel",
            f"A kernel is square: {'' if channels == 1 else f'{channels} times '}1, 4, 9, 16, 25, 36 or 49 numbers "
            f"with commas between.",
        )
    return np.array([_number(part) for part in parts]).reshape(channels, side, side)


def kernel_text(values: Array) -> str:
    """Kernels (…, n, n) as a link writes them, with four significant digits."""
    return ",".join(f"{value:.{_DIGITS}g}" for value in (values + 0.0).ravel())


def learned_kernel(weights: npt.NDArray[np.floating], channels: int) -> Array:
    """A network's filter as this lesson takes it, (channels, n, n): its largest weight becomes 1 or −1.

    The kernel for gray is the sum of those for red, green and blue: in a gray picture all three are the same.

    Args:
        weights: (n, n, C), C 3 or 1.
        channels: 1, or 3 for a filter that sees colors.

    Raises:
        ConfigError: if it is too large, not square, sees no colors where they are asked for, or is zeros only.
    """
    height, width, seen = weights.shape
    if height != width or height > LARGEST:
        raise ConfigError(
            "kernel",
            f"The filters of this network have {height} × {width} numbers a channel; here at most "
            f"{LARGEST} × {LARGEST} fit.",
            "Choose another network.",
        )
    if channels > seen:
        raise ConfigError(
            "filters",
            "The filters of this network see gray pictures.",
            "Take them under One channel, or another network.",
        )
    kernel = weights.astype(np.float64).transpose(2, 0, 1)
    kernel = kernel if channels == seen else kernel.sum(axis=0, keepdims=True)
    largest = np.abs(kernel).max()
    if not 0 < largest < math.inf:
        raise ConfigError("kernel", "The weights of this filter are all zero or no numbers.", "Take another filter.")
    return np.round(kernel / largest, 2)


def resized(kernel: Array, side: int) -> Array:
    """A kernel (n, n) at another size: a blur stays that blur, others get zeros around them or lose their margin."""
    size = len(kernel)
    for blur in (box, binomial):
        if np.allclose(kernel, blur(size), rtol=1e-3, atol=1e-5) and size > 1:
            return blur(side)
    found = np.zeros((side, side))
    kept = min(side, size)
    to, start = (side - kept) // 2, (size - kept) // 2
    found[to : to + kept, to : to + kept] = kernel[start : start + kept, start : start + kept]
    return found


def box(side: int) -> Array:
    """The mean of a neighborhood, (side, side)."""
    return np.full((side, side), 1 / side**2)


def binomial(side: int) -> Array:
    """The blur with binomial weights, (side, side), close to a Gaussian of σ = √(side − 1) / 2."""
    row = np.array([math.comb(side - 1, place) for place in range(side)], np.float64)
    return np.outer(row, row) / row.sum() ** 2


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not abs(found) <= MOST:
        shown = text.strip()[:20] or "an empty place"
        raise ConfigError("kernel", f"The kernel has {shown} in it.", f"Allowed: numbers from {-MOST:g} to {MOST:g}.")
    return found

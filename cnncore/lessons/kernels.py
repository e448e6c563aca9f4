"""Kernels that image processing knew long before networks learned their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


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
        effect="As if light came from the upper left: slopes towards it turn dark, away from it bright.",
        rows=((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
    ),
    "shift": Kernel(
        title="Shift",
        effect="Moves the image by one pixel, and shows what flipping does: the true convolution moves the other way.",
        rows=((0, 0, 0), (1, 0, 0), (0, 0, 0)),
    ),
}
"""Sums of 1 keep the brightness; sums of 0 give 0 on plain areas."""

"""Batches of real activations: what a first convolution with well-known kernels and a ReLU makes of pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.lessons.kernels import KERNELS
from cnncore.lessons.normalizing import Statistics, batch_statistics
from cnncore.lessons.sliding import Sliding, convolve

Array = npt.NDArray[np.float64]
CHANNELS: dict[str, tuple[str, int]] = {
    "Blur": ("gaussian", 1),
    "Sharpen": ("sharpen", 1),
    "Edges": ("edges", 1),
    "Emboss": ("emboss", 1),
    "Brighter →": ("sobel_x", 1),
    "Brighter ←": ("sobel_x", -1),
    "Brighter ↓": ("sobel_y", 1),
    "Brighter ↑": ("sobel_y", -1),
}
"""By their names, the kernel and its sign: the last four are large where it gets brighter in that direction."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Batches:
    """Activations to cut batches from.

    Attributes:
        maps: Of whole pictures, (N, C, H, W); the first picture is in every batch.
        side: Of the squares that a batch holds.
    """

    maps: Array
    side: int

    def batch(self, number: int) -> Array:
        """A batch (N, C, side, side): the middle of the first picture, and squares of the others at random places."""
        rng = np.random.default_rng(number)
        num, _, height, width = self.maps.shape
        middle = (height - self.side) // 2, (width - self.side) // 2
        cuts = [self._cut(0, *middle)]
        for _ in range(num - 1):
            picture = int(rng.integers(1, num))
            top, left = rng.integers(0, height - self.side + 1), rng.integers(0, width - self.side + 1)
            cuts.append(self._cut(picture, int(top), int(left)))
        return np.stack(cuts)

    def _cut(self, picture: int, top: int, left: int) -> Array:
        return self.maps[picture, :, top : top + self.side, left : left + self.side]

    def statistics(self, batches: int) -> list[Statistics]:
        """Of the batches 1, 2, ..."""
        return [batch_statistics(self.batch(number)) for number in range(1, batches + 1)]


def activations(pictures: Array) -> Array:
    """What a convolution with the kernels of `CHANNELS` and a ReLU make of gray pictures (N, H, W) from 0 to 1.

    Returns:
        (N, C, H, W); places beyond the edge count as the mirrored picture, so that the edge is not an edge.
    """
    found: list[Array] = []
    for name, sign in CHANNELS.values():
        kernel = sign * KERNELS[name].values[None, None]
        sliding = Sliding(kernel=kernel.shape[2:], padding="same", padding_mode="reflect")
        found.append(np.concatenate([convolve(picture[None], kernel, sliding) for picture in pictures]))
    return np.maximum(np.stack(found, axis=1), 0)

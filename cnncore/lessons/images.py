"""An image as numbers: its planes in several color spaces, and where each number lies in memory.

Hue, saturation and brightness are those of Smith: Color gamut transform pairs, 1978, as Python's `colorsys` has them.
Strides are those of torch, for contiguous tensors and for its memory format `channels_last`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

LAYOUTS = {"chw": "nchw", "hwc": "nhwc"}
"""Order of the axes in memory, the slowest first: n image, c channel, h row, w column."""


def to_hsv(pixels: Pixels) -> npt.NDArray[np.float64]:
    """Hue, saturation and brightness of colors.

    Args:
        pixels: Red, green and blue, uint8 (..., 3).

    Returns:
        (..., 3): the hue from 0 to below 360 degrees (0 where there is none: gray), the other two from 0 to 1.
    """
    red, green, blue = np.moveaxis(pixels.astype(np.float64) / 255, -1, 0)
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    spread = most - least
    apart = np.where(spread > 0, spread, 1)
    # The wheel's thirds begin at red, green and blue; within one, the other two channels say how far it has turned.
    turned = np.select(
        [most == red, most == green], [(green - blue) / apart, 2 + (blue - red) / apart], 4 + (red - green) / apart
    )
    hue = np.where(spread > 0, 60 * turned % 360, 0.0)
    return np.stack((hue, spread / np.where(most > 0, most, 1), most), axis=-1)


def hue_wheel() -> Pixels:
    """The pure color of every whole degree of hue, uint8 (360, 3)."""
    turn = np.arange(360)[:, None] / 60
    apart = np.abs((turn - (0, 2, 4) + 3) % 6 - 3)
    return np.rint(255 * np.clip(2 - apart, 0, 1)).astype(np.uint8)


def strides(sizes: Mapping[str, int], order: str) -> dict[str, int]:
    """How many numbers lie between one step along an axis and the next, by axis.

    Args:
        sizes: Length of each axis.
        order: The axes as they lie in memory, the slowest first, such as `nchw`.
    """
    found: dict[str, int] = {}
    step = 1
    for axis in reversed(order):
        found[axis] = step
        step *= sizes[axis]
    return found

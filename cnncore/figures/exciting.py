"""Images with what a unit saw of them marked, and images in equal form to stand beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from cnncore.figures.feature_maps import Picture, enlarged

SIDE = 160
"""Pixels along a side of a picture among others."""
PIXELATED = 96
"""Pixels along a side below which a picture's pixels are shown as squares."""
_LARGE = 224
_DOT = 7


def colored(pixels: Picture) -> Picture:
    """Pixels, uint8 (…, H, W, 1) or (…, H, W, 3), in three colors."""
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


def reduced(picture: Picture, side: int = SIDE) -> Picture:
    """A square picture, uint8 (S, S, 3), at most `side` pixels wide."""
    if len(picture) <= side:
        return picture
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))


def boxed(pixels: Picture, box: Sequence[float], middle: Sequence[float]) -> Picture:
    """An image, large enough to draw on, with a frame around what a place of a map sees and a dot in its middle.

    Args:
        pixels: uint8 (H, W, 1) or (H, W, 3).
        box: Top, left, bottom and right in pixels.
        middle: Row and column of the place in pixels.
    """
    large = enlarged(colored(pixels), _LARGE)
    factor = len(large) / len(pixels)
    page = Image.fromarray(large)
    pen = ImageDraw.Draw(page)
    top, left, bottom, right = (round(factor * edge) for edge in box)
    for inset, color, width in ((0, "black", 5), (1, "white", 3)):
        pen.rectangle((left + inset, top + inset, right - 1 - inset, bottom - 1 - inset), outline=color, width=width)
    row, column = (round(factor * place) for place in middle)
    for radius, color in ((_DOT, "black"), (_DOT - 2, "white")):
        pen.ellipse((column - radius, row - radius, column + radius, row + radius), fill=color)
    return np.asarray(page)


def stacked(pictures: Sequence[Picture]) -> npt.NDArray[np.uint8]:
    """Pictures of one form, in colors, reduced: uint8 (n, s, s, 3)."""
    return np.stack([reduced(colored(picture)) for picture in pictures])

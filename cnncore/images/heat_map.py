"""Heat over a picture: how much each of its places matters, as colors that let the picture shine through.

Colors: "inferno" of matplotlib (Smith and van der Walt, 2015; public domain), whose lightness rises evenly, so that it
can be read without color vision and in gray. Between its ten colors it is interpolated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

COLORS = (
    (0, 0, 3), (27, 12, 65), (74, 12, 107), (120, 28, 109), (165, 44, 96),
    (207, 68, 70), (237, 105, 37), (251, 155, 6), (247, 209, 61), (252, 255, 164),
)  # fmt: skip
OPACITY = 0.75
"""Share of the color where the heat is 1; it falls with the heat, so that what does not matter is left as it is."""

Picture = npt.NDArray[np.uint8]


def heat_colors(heat: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The color of each value from 0 to 1: (..., 3), from 0 to 255."""
    places = np.linspace(0, 1, len(COLORS))
    return np.stack([np.interp(heat, places, channel) for channel in zip(*COLORS, strict=True)], axis=-1)


def overlay(picture: Picture, heat: npt.NDArray[np.floating], *, opacity: float = OPACITY) -> Picture:
    """The picture with the heat over it, uint8 (..., H, W, 3).

    Args:
        picture: uint8 (..., H, W, C) with 1 channel (gray) or 3.
        heat: (..., H, W) from 0 to 1.
        opacity: Share of the color where the heat is 1.
    """
    share = opacity * heat[..., None]
    return np.rint(picture * (1 - share) + heat_colors(heat) * share).astype(np.uint8)

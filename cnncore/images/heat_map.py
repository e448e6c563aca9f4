"""Heat over a picture: how much each of its places matters, as colors that let the picture shine through.

Colors: "inferno" of matplotlib (Smith and van der Walt, 2015; public domain), whose lightness rises evenly, so that it
can be read without color vision and in gray. Between its ten colors it is interpolated.

Colors of values with a sign: the diverging map of Moreland, Diverging color maps for scientific visualization, 2009,
from blue (against) over light gray (nothing) to red (for). It was made so that equal steps look equal, that both sides
are equally light, and that blue and red stay apart without full color vision.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

COLORS = (
    (0, 0, 3), (27, 12, 65), (74, 12, 107), (120, 28, 109), (165, 44, 96),
    (207, 68, 70), (237, 105, 37), (251, 155, 6), (247, 209, 61), (252, 255, 164),
)  # fmt: skip
SIGNED_COLORS = (
    (59, 76, 192), (68, 90, 204), (77, 104, 215), (87, 117, 225), (98, 130, 234), (108, 142, 241),
    (119, 154, 247), (130, 165, 251), (141, 176, 254), (152, 185, 255), (163, 194, 255), (174, 201, 253),
    (184, 208, 249), (194, 213, 244), (204, 217, 238), (213, 219, 230), (221, 221, 221), (229, 216, 209),
    (236, 211, 197), (241, 204, 185), (245, 196, 173), (247, 187, 160), (247, 177, 148), (247, 166, 135),
    (244, 154, 123), (241, 141, 111), (236, 127, 99), (229, 112, 88), (222, 96, 77), (213, 80, 66),
    (203, 62, 56), (192, 40, 47), (180, 4, 38),
)  # fmt: skip
OPACITY = 0.75
"""Share of the color where the heat is 1; it falls with the heat, so that what does not matter is left as it is."""

Colors = tuple[tuple[int, int, int], ...]
Picture = npt.NDArray[np.uint8]


def heat_colors(heat: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The color of each value from 0 to 1: (..., 3), from 0 to 255."""
    return _between(COLORS, heat)


def signed_colors(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The color of each value from -1 (against) to 1 (for): (..., 3), from 0 to 255."""
    return _between(SIGNED_COLORS, (values + 1) / 2)


def _between(colors: Colors, places: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    known = np.linspace(0, 1, len(colors))
    return np.stack([np.interp(places, known, channel) for channel in zip(*colors, strict=True)], axis=-1)


def overlay(picture: Picture, heat: npt.NDArray[np.floating], *, opacity: float = OPACITY) -> Picture:
    """The picture with the heat over it, uint8 (..., H, W, 3).

    Args:
        picture: uint8 (..., H, W, C) with 1 channel (gray) or 3.
        heat: (..., H, W) from 0 to 1.
        opacity: Share of the color where the heat is 1.
    """
    share = opacity * heat[..., None]
    return np.rint(picture * (1 - share) + heat_colors(heat) * share).astype(np.uint8)


def signed_overlay(picture: Picture, values: npt.NDArray[np.floating], *, opacity: float = OPACITY) -> Picture:
    """The picture with values of either sign over it, uint8 (..., H, W, 3).

    Args:
        picture: uint8 (..., H, W, C) with 1 channel (gray) or 3.
        values: (..., H, W) from -1 (against) to 1 (for).
        opacity: Share of the color where the value is -1 or 1.
    """
    share = opacity * np.abs(values)[..., None]
    return np.rint(picture * (1 - share) + signed_colors(values) * share).astype(np.uint8)


def reach(values: npt.NDArray[np.floating]) -> float:
    """The magnitude at which the colors of a map end: only one value in a hundred is larger.

    A few pixels far above the rest would leave it pale, for which reason Smilkov et al., SmoothGrad, 2017, cap values
    at the same share. Where nearly all values are 0 it is the largest one, and 0 where all are.
    """
    sizes = np.abs(values)
    return float(np.quantile(sizes, 0.99)) or float(sizes.max(initial=0))


def scaled(values: npt.NDArray[np.floating], *, signed: bool) -> npt.NDArray[np.float64]:
    """A map in units of its `reach`, cut at the ends: from -1 to 1, or from 0 to 1 without a sign."""
    least = -1.0 if signed else 0.0
    end = reach(values)
    return np.clip(values.astype(np.float64) / end, least, 1) if end else np.zeros(values.shape)


def map_colors(values: npt.NDArray[np.floating], *, signed: bool) -> Picture:
    """A map (H, W) of any scale as colors, uint8 (H, W, 3)."""
    colors = signed_colors if signed else heat_colors
    return np.rint(colors(scaled(values, signed=signed))).astype(np.uint8)


def map_over(picture: Picture, values: npt.NDArray[np.floating], *, signed: bool, opacity: float = OPACITY) -> Picture:
    """The picture (H, W, C) with a map (H, W) of any scale over it, uint8 (H, W, 3); see `overlay`."""
    draw = signed_overlay if signed else overlay
    return draw(picture, scaled(values, signed=signed), opacity=opacity)

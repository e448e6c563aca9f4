"""Of the lesson on Inception: windows that are taken apart, and 1 × 1 convolutions as a network for one pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from cnncore.lessons.mixing import MIXES, Mix, mixed, pixel_by_pixel, read_numbers
from cnncore.lessons.modules import factorized

KERNELS = (3, 5, 7, 9, 11)
MOST_CHANNELS = 512
MAP_SIDE = 17
"""Of the maps whose multiplications are counted: where Inception v3 takes windows apart (Szegedy et al. 2016)."""
PIXELS = 32


@st.cache_data(show_spinner=False)
def factorizations() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What every window and its parts cost, for every number of channels: data and arrays of the figure."""
    kernels: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for kernel in KERNELS:
        forms: list[dict[str, Any]] = []
        unit = factorized(1, kernel)
        if kernel == 3:
            del unit["stacked"]  # The whole window itself.
        for name, module in unit.items():
            (branch,) = module.branches
            forms.append(
                {
                    "name": name,
                    "shapes": [each.kernel for each in branch.convolutions],
                    "field": branch.field,
                    "per_pair": module.weights,
                    "share": module.weights / unit["whole"].weights,
                }
            )
        kernels.append({"kernel": kernel, "forms": forms})
        for name in unit:
            modules = [factorized(channels, kernel)[name] for channels in range(1, MOST_CHANNELS + 1)]
            arrays[f"weights_{kernel}_{name}"] = np.array([each.weights for each in modules], np.int32)
            arrays[f"macs_{kernel}_{name}"] = np.array([each.macs(MAP_SIDE) for each in modules], np.float64)
    return {"kernels": kernels, "side": MAP_SIDE, "most": MOST_CHANNELS}, arrays


def pixel_board(
    pixels: npt.NDArray[np.uint8], numbers: str, place: tuple[int, int]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the figure of the network for one pixel is drawn from.

    Args:
        pixels: The image, uint8 (side, side, C) with C = 3, or 1 for gray: then all three channels are alike.
        numbers: Of the network, as links have them.
        place: Row and column of the pixel, counted from 1, 0 for the middle.
    """
    image = np.moveaxis(np.broadcast_to(pixels, (*pixels.shape[:2], 3)), -1, 0) / 255.0
    values = read_numbers(numbers)
    known = next((mix for mix in MIXES.values() if mix.numbers == values), None)
    mix = known or Mix(title="Your own", words="Your own numbers.", numbers=values)
    found = mixed(image, mix)
    row, column = (min(each or size // 2, size) - 1 for each, size in zip(place, pixels.shape, strict=False))
    data = {
        "words": mix.words,
        "numbers": values,
        "pixel": [row, column],
        "apart": float(np.abs(found.output - pixel_by_pixel(image, mix)).max()),
    }
    return data, {
        "image": image.astype(np.float32),
        "sums": found.sums.astype(np.float32),
        "hidden": found.hidden.astype(np.float32),
        "total": found.total.astype(np.float32),
        "output": found.output.astype(np.float32),
    }

"""The figure of the lesson on dense layers: what is connected, how many weights that takes, and what shuffling does."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from cnncore.lessons import dense
from cnncore.lessons.transforms import shift
from pages.components.lesson_board import draw_board
from pages.components.lesson_dense_trial import TrialState, show_trial
from pages.components.lesson_picture import PictureName, choose_picture
from pages.components.lesson_state import choose_view, read_state

SIDE, KERNEL = 14, 3
MAP_SIDE = SIDE - KERNEL + 1
MOST_SHIFT = 4
_VIEWS = {
    "connected": "What is connected to what",
    "count": "Count the weights",
    "shuffled": "Shuffle the pixels",
}


class DenseState(TrialState):
    """What the link says."""

    picture: PictureName = "digit"
    view: Literal["connected", "count", "shuffled"] = "connected"
    shift: Annotated[int, Field(ge=0, le=MOST_SHIFT)] = 0
    weights: Annotated[int, Field(ge=0, le=99, title="number of the random weights")] = 0
    row: Annotated[int, Field(ge=0, le=MAP_SIDE - 1, title="row of the output")] = 5
    column: Annotated[int, Field(ge=0, le=MAP_SIDE - 1, title="column of the output")] = 5
    side: Annotated[int, Field(ge=8, le=224, title="side of the image")] = 28
    channels: Annotated[int, Field(ge=1, le=64)] = 1
    filters: Annotated[int, Field(ge=1, le=256, title="number of filters")] = 16
    kernel: Annotated[int, Field(ge=1, le=11)] = 5


def show_dense() -> None:
    """Draw the figure."""
    state = read_state(DenseState)
    choose_view(state, _VIEWS)
    if state.view == "connected":
        picture = choose_picture(state, SIDE)
        draw_board("dense", state, *connected(picture.gray / 255, state.weights))
    elif state.view == "count":
        draw_board("dense_count", state, counted(state))
    else:
        show_trial(state)


def connected(image: np.ndarray, weights: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Both layers on an image (SIDE, SIDE) from 0 to 1 and on its shifts: facts and arrays for the browser.

    Args:
        image: The image.
        weights: Seed of the random weights of both layers.
    """
    kernel = dense.random_kernel(KERNEL, weights)
    matrix = dense.random_dense(SIDE, MAP_SIDE**2, weights)
    images = np.concatenate([shift(image[None], step, 0) for step in range(MOST_SHIFT + 1)])
    maps = {
        "dense": np.stack([dense.applied(matrix, each).reshape(MAP_SIDE, MAP_SIDE) for each in images]),
        "convolution": np.stack([dense.convolved(each, kernel) for each in images]),
    }
    off = {
        name: [dense.off_after_shift(found[0], now, at) for at, now in enumerate(found)] for name, found in maps.items()
    }
    most = {name: float(np.abs(found).max()) or 1.0 for name, found in maps.items()}
    data = {"off": off, "most": most, "most_weight": float(max(np.abs(matrix).max(), np.abs(kernel).max()))}
    return data, {"images": images, "weights": matrix.reshape(-1, SIDE, SIDE), "kernel": kernel, **maps}


def counted(state: DenseState) -> dict[str, Any]:
    """Three layers that could look at an image, each with its parameters and how they come about.

    Raises:
        ConfigError: if the kernel does not fit into the image.
    """
    side, channels, filters, kernel = state.side, state.channels, state.filters, state.kernel
    found = dense.count(side, channels, filters, kernel)
    inputs, numbers = channels * side * side, filters * found.map_side**2
    rows = [
        (
            f"Convolution: {filters} filters of {kernel} × {kernel}",
            f"{filters} × ({channels} × {kernel} × {kernel}) + {filters}",
            f"gives {filters} maps of {found.map_side} × {found.map_side}; the same for images of any size",
            found.convolution,
        ),
        (
            f"Dense: {filters} outputs",
            f"{filters} × ({channels} × {side} × {side}) + {filters}",
            f"gives {filters} numbers, each from all {inputs:,} inputs",
            found.dense,
        ),
        (
            "Dense: as many numbers as the convolution's maps",
            f"{numbers:,} × {inputs:,} + {numbers:,}",
            f"gives {numbers:,} numbers, each from all {inputs:,} inputs",
            found.dense_maps,
        ),
    ]
    most = np.log10(rows[-1][-1])
    return {
        "rows": [
            {
                "name": name,
                "sum": total,
                "gives": gives,
                "params": f"{params:,}",
                "memory": _memory(params * dense.BYTES_PER_WEIGHT),
                "share": float(np.log10(params) / most) if most else 1.0,
            }
            for name, total, gives, params in rows
        ],
        "times": f"{found.dense_maps / found.convolution:,.0f}",
    }


def _memory(num_bytes: int) -> str:
    """Bytes in the unit that people read most easily."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if num_bytes >= size:
            return f"{num_bytes / size:,.3g} {unit}"
    return f"{num_bytes} bytes"

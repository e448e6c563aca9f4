"""The figure of the lesson on pooling: an image that can be shifted, and what several poolings leave of it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import streamlit as st
from pydantic import AfterValidator, Field

from cnncore.arithmetic import pool_output_size
from cnncore.errors import ConfigError
from cnncore.lessons.shifting import under_shifts, whole_places
from pages.components.lesson_board import draw_board
from pages.components.lesson_picture import PictureName, PictureState, choose_picture
from pages.components.lesson_state import bound, read_state

SIDE = 16
MOST_SHIFT = 4
STRIDE = 2
WINDOWS = {"apart": 2, "overlapping": 3}
"""Height and width of the window of each pooled map."""
Kind = Literal["max", "average"]
_KINDS = {"max": "Keep the largest value", "average": "Keep the mean"}
_STEPS = range(-MOST_SHIFT, MOST_SHIFT + 1)
SHIFTS = tuple((right, down) for right in _STEPS for down in _STEPS)
"""Every shift of the figure, in pixels to the right and down."""


def _place(text: str) -> str:
    """A place of a pooled map, `overlapping.3.4`; empty for none.

    Raises:
        ConfigError: if there is no such place.
    """
    found = re.fullmatch(r"([a-z]+)\.([0-9]{1,2})\.([0-9]{1,2})", text)
    places = pool_output_size(SIDE, WINDOWS[found[1]], STRIDE) if found and found[1] in WINDOWS else 0
    if text and not (found and max(int(found[2]), int(found[3])) < places):
        raise ConfigError("at", "There is no such place.", "It is a map, a row and a column, as in overlapping.3.4.")
    return text


class PoolingState(PictureState):
    """What the link says."""

    picture: PictureName = "digit"
    kind: Kind = "max"
    right: Annotated[int, Field(ge=-MOST_SHIFT, le=MOST_SHIFT, title="shift to the right")] = 0
    down: Annotated[int, Field(ge=-MOST_SHIFT, le=MOST_SHIFT, title="shift down")] = 0
    at: Annotated[str, AfterValidator(_place), Field(title="chosen place")] = ""


def show_pooling() -> None:
    """Draw the figure."""
    state = read_state(PoolingState)
    picture = choose_picture(state, SIDE)
    with st.container(key="learn_controls_pooling", horizontal=True):
        st.segmented_control(
            "What a window keeps",
            list(_KINDS),
            required=True,
            format_func=_KINDS.__getitem__,
            label_visibility="collapsed",
            **bound(PoolingState, "kind", state.kind),
        )
    draw_board(
        "pooling",
        state,
        {"most": MOST_SHIFT, "stride": STRIDE, "windows": WINDOWS},
        pooling_arrays(picture.gray, state.kind),
    )


@st.cache_data(show_spinner=False, max_entries=32)
def pooling_arrays(gray: npt.NDArray[np.uint8], kind: Kind) -> dict[str, np.ndarray]:
    """What the figure shows of every shift, from the left to the right and in that from the top to the bottom.

    Returns:
        `image`, `apart` and `overlapping`: the maps, (shifts, H, W). `winners_apart` and `winners_overlapping`, of the
        same shape: which value of its window each place keeps, counted row by row. `changes`, (shifts, 3, 3): for each
        of the maps by how much it has changed, by how much after it is moved back by whole places, and its global
        pooling. `moves`, (shifts, 2): the whole places, to the right and down, of the pooled maps.
    """
    image = gray.astype(np.float64) / 255
    maps = {"image": under_shifts(image, SHIFTS, 1, 1, kind)}
    maps |= {name: under_shifts(image, SHIFTS, kernel, STRIDE, kind) for name, kernel in WINDOWS.items()}
    numbers = [np.stack([each.changes, each.rests, each.pooled_globally], axis=-1) for each in maps.values()]
    return {
        **{name: each.maps for name, each in maps.items()},
        **{f"winners_{name}": maps[name].winners.astype(np.uint8) for name in WINDOWS},
        "changes": np.stack(numbers, axis=1),
        "moves": np.array([[whole_places(by, STRIDE) for by in each] for each in SHIFTS], np.int32),
    }

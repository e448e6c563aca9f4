"""The figure of the lesson on pooling: an image that can be shifted, and what several poolings leave of it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import streamlit as st
from pydantic import Field

from cnncore.lessons.sliding import pool
from cnncore.lessons.transforms import shift
from pages.components.lesson_board import draw_board
from pages.components.lesson_picture import PictureName, PictureState, choose_picture
from pages.components.lesson_state import bound, read_state

SIDE = 16
MOST_SHIFT = 4
_KINDS = {"max": "Max", "average": "Average"}


class PoolingState(PictureState):
    """What the link says."""

    picture: PictureName = "digit"
    kind: Literal["max", "average"] = "max"
    shift: Annotated[int, Field(ge=0, le=MOST_SHIFT)] = 0


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
            **bound(PoolingState, "kind", state.kind),
        )
    image = picture.gray[None].astype(np.float64) / 255
    moved = [shift(image, step, 0) for step in range(MOST_SHIFT + 1)]
    draw_board(
        "pooling",
        state,
        {"size": SIDE, "most": MOST_SHIFT},
        {
            "images": np.concatenate(moved),
            "apart": np.concatenate([pool(each, 2, 2, state.kind) for each in moved]),
            "overlapping": np.concatenate([pool(each, 3, 2, state.kind) for each in moved]),
        },
    )

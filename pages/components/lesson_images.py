"""The figure of the lesson on images: pixels and their numbers, planes of colors, and how they lie in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import streamlit as st
from PIL import Image
from pydantic import Field

from cnncore.lessons.images import LAYOUTS, hue_wheel, strides, to_hsv
from pages.components.lesson_board import draw_board
from pages.components.lesson_images_classics import show_classics
from pages.components.lesson_picture import PictureName, PictureState, choose_picture, load_picture
from pages.components.lesson_state import bound, one_of, read_state

SIDES = range(8, 65, 4)
"""Pixels along a side that the slider offers; MNIST's 28 and CIFAR's 32 are among them."""
BATCH = 8
"""Images of the batch."""
PLANES = {"rgb": "Red, green, blue", "hsv": "Hue, saturation, brightness (HSV)", "gray": "Gray"}
_LAYOUTS = {"chw": "Channels first", "hwc": "Channels last"}
_SHAPES = {"chw": "(N, C, H, W)", "hwc": "(N, H, W, C)"}


class ImagesState(PictureState):
    """What the link says."""

    picture: PictureName = "flower"
    side: Annotated[int, one_of(SIDES), Field(title="resolution")] = 24
    planes: Literal["rgb", "hsv", "gray"] = "rgb"
    row: Annotated[int, Field(ge=0, le=SIDES[-1] - 1)] = 11
    column: Annotated[int, Field(ge=0, le=SIDES[-1] - 1)] = 8
    layout: Literal["chw", "hwc"] = "chw"
    place: Annotated[int, Field(ge=0, le=BATCH - 1, title="place in the batch")] = 0


def show_images() -> None:
    """Draw the figure."""
    state = read_state(ImagesState)
    picture = choose_picture(state, state.side)
    is_gray = picture.pixels.shape[-1] == 1
    with st.container(key="learn_controls_images", horizontal=True, gap="medium"):
        _choose_planes(state, is_gray=is_gray)
        st.segmented_control(
            "In memory", list(_LAYOUTS), required=True, wrap=True,
            format_func=lambda layout: f"{_LAYOUTS[layout]} {_SHAPES[layout]}",
            **bound(ImagesState, "layout", state.layout),
        )  # fmt: skip
    if max(state.row, state.column) >= state.side:
        st.warning(
            f"A picture of {state.side} × {state.side} pixels has no pixel in row {state.row} and column "
            f"{state.column}; both go from 0 to {state.side - 1}. The nearest one is shown.",
            icon=":material/link_off:",
        )
    draw_board("images", state, board_data(state, is_gray=is_gray), _arrays(picture.reference, state.planes))
    show_classics(ImagesState)


def _choose_planes(state: ImagesState, *, is_gray: bool) -> None:
    """The choice; a gray picture has none."""
    names = ["gray"] if is_gray else list(PLANES)
    chosen: dict[str, Any] = (
        {"key": "learn_images_gray", "default": "gray"} if is_gray else bound(ImagesState, "planes", state.planes)
    )
    st.segmented_control(
        "Planes", names, required=True, wrap=True, disabled=is_gray, format_func=PLANES.__getitem__, **chosen
    )


def board_data(state: ImagesState, *, is_gray: bool) -> dict[str, Any]:
    """What the figure's script needs beside the numbers of the pictures.

    Args:
        state: What is shown.
        is_gray: Whether the picture has one channel.
    """
    planes = "gray" if is_gray else state.planes
    channels = 1 if planes == "gray" else 3
    sizes = {side: {"n": BATCH, "c": channels, "h": side, "w": side} for side in SIDES}
    return {
        "sides": list(SIDES),
        "batch": BATCH,
        "planes": planes,
        "order": LAYOUTS[state.layout],
        "strides": {side: strides(each, LAYOUTS[state.layout]) for side, each in sizes.items()},
        "numbers": {side: BATCH * channels * side * side for side in SIDES},
    }


def board_arrays(pictures: Mapping[int, npt.NDArray[np.uint8]], planes: str) -> dict[str, np.ndarray]:
    """The numbers of a picture in every size, one size after the other.

    Args:
        pictures: By side, uint8 (side, side, C).
        planes: rgb, hsv or gray.

    Returns:
        `colors`: (pixels, C); for colors also `hsv`, whole degrees and percent (pixels, 3), and the `wheel` of hues
        (360, 3); `gray` (pixels,) where it is asked for; `starts`: where each size begins, in pixels.
    """
    sizes = [len(each) ** 2 for each in pictures.values()]
    colors = np.concatenate([each.reshape(-1, each.shape[-1]) for each in pictures.values()])
    found: dict[str, np.ndarray] = {"colors": colors, "starts": np.cumsum([0, *sizes[:-1]]).astype(np.int32)}
    if colors.shape[-1] == 3:
        hsv = np.rint(to_hsv(colors) * (1, 100, 100))
        hsv[:, 0] %= 360
        found |= {"hsv": hsv.astype(np.int16), "wheel": hue_wheel()}
        if planes == "gray":
            found["gray"] = np.asarray(Image.fromarray(colors[None]).convert("L"))[0]
    return found


@st.cache_data(show_spinner=False, max_entries=16)
def _arrays(reference: str, planes: str) -> dict[str, np.ndarray]:
    return board_arrays({side: load_picture(reference, side).pixels for side in SIDES}, planes)

"""The figure of the lesson on receptive fields: a stack whose units can be chosen, and what they see of an image."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import streamlit as st
from pydantic import Field

from cnncore.errors import ConfigError
from cnncore.lessons.fields import Window, mean_maps
from cnncore.lessons.reach import STACKS, Reach, WindowStack, possible, reach
from pages.components.lesson_board import draw_board
from pages.components.lesson_field_compare import MOST_DEPTH, compared, depths, networks
from pages.components.lesson_picture import PictureState, choose_picture
from pages.components.lesson_state import bound, change_state, choose_view, read_state

SIDE = 48
MOST_LAYERS, MOST_KERNEL, MOST_STRIDE, MOST_DILATION = 8, 7, 3, 4
_OWN = "own"
_VIEWS = {
    "unit": "Click a unit",
    "compare": "Three 3 × 3 or one 7 × 7?",
    "deeper": "Deeper stacks",
    "networks": "Real networks",
}


class FieldState(PictureState):
    """What the link says; places count from 1, and 0 stands for the last layer and the middle of its map."""

    view: Literal["unit", "compare", "deeper", "networks"] = "unit"
    stack: Literal["three", "one", "lenet5", "vgg", "strides", "dilated", "own"] = "three"
    layers: Annotated[int, Field(ge=1, le=MOST_LAYERS, title="number of layers")] = 6
    kernel: Annotated[int, Field(ge=1, le=MOST_KERNEL, title="window")] = 3
    stride: Annotated[int, Field(ge=1, le=MOST_STRIDE)] = 1
    dilation: Annotated[int, Field(ge=1, le=MOST_DILATION)] = 1
    padded: bool = True
    layer: Annotated[int, Field(ge=0, le=MOST_LAYERS)] = 0
    row: Annotated[int, Field(ge=0, le=SIDE)] = 0
    column: Annotated[int, Field(ge=0, le=SIDE)] = 0
    effective: bool = False
    channels: Annotated[int, Field(ge=1, le=512)] = 64
    depth: Annotated[int, Field(ge=1, le=MOST_DEPTH)] = 20


def show_field() -> None:
    """Draw the figure."""
    state = read_state(FieldState)
    choose_view(state, _VIEWS)
    _SHOWN[state.view](state)


def chosen_stack(state: FieldState) -> WindowStack:
    """The stack that a state names, or says layer by layer."""
    if state.stack != _OWN:
        return STACKS[state.stack]
    padding = state.dilation * (state.kernel - 1) // 2 if state.padded else 0
    window = Window(kernel=state.kernel, stride=state.stride, padding=padding, dilation=state.dilation)
    return WindowStack(title="Your own", side=SIDE, windows=(window,) * state.layers)


def unit_board(
    pixels: npt.NDArray[np.uint8], gray: npt.NDArray[np.uint8], state: FieldState
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the figure is drawn from.

    Args:
        pixels: The image, uint8 (side, side, C), as large as the stack has it.
        gray: The same in gray, uint8 (side, side).
        state: What the link says.
    """
    stack = chosen_stack(state)
    windows, problem = possible(stack.windows, stack.side)
    found = reach(windows, stack.side)
    (layer, row, column), outside = chosen_unit(state, found)
    data = {
        "sizes": found.sizes,
        "fields": found.fields,
        "middles": found.middles,
        "names": [layer_name(window) for window in windows],
        "unit": [layer, row, column],
        "problem": "" if problem is None else _broken(len(windows), problem),
        "outside": outside,
    }
    arrays: dict[str, np.ndarray] = {
        "image": np.broadcast_to(pixels, (*pixels.shape[:2], 3)),
        "spans": found.spans,
        "touched": np.packbits(found.touched, axis=-1),
        "taps": found.taps,
        "lines": found.lines.astype(np.float32),
        "centers": found.centers.astype(np.float32),
        "shares": found.shares.astype(np.float32),
    }
    return data, arrays | {f"map{place}": each for place, each in enumerate(mean_maps(gray, windows))}


def chosen_unit(state: FieldState, found: Reach) -> tuple[tuple[int, int, int], str]:
    """Layer, row and column of the unit, counted from 0, and what is wrong where the stack has no such unit."""
    count = len(found.fields)
    if not count:
        return (0, 0, 0), ""
    layer = state.layer - 1 if 1 <= state.layer <= count else count - 1
    units = found.sizes[layer + 1]
    row, column = (place - 1 if 1 <= place <= units else (units - 1) // 2 for place in (state.row, state.column))
    if state.layer > count:
        return (layer, row, column), f"This stack has no layer {state.layer}; a unit of the last one is shown."
    if max(state.row, state.column) > units:
        asked = f"row {state.row or row + 1}, column {state.column or column + 1}"
        return (layer, row, column), (
            f"Layer {layer + 1} has {units} × {units} units, none at {asked}; one in its middle is shown."
        )
    return (layer, row, column), ""


def layer_name(window: Window) -> str:
    """A layer in a few words."""
    kind = "pooling " if window.pooling else ""
    stride = f", stride {window.stride}" if window.stride > 1 else ""
    dilation = f", dilation {window.dilation}" if window.dilation > 1 else ""
    return f"{kind}{window.kernel} × {window.kernel}{stride}{dilation}"


def _broken(place: int, problem: ConfigError) -> str:
    return f"Layer {place + 1} is impossible: {problem.message} {problem.hint}".strip()


def _show_unit(state: FieldState) -> None:
    picture = choose_picture(state, chosen_stack(state).side)
    with st.container(key="learn_controls_field_stack"):
        titles = {key: stack.title for key, stack in STACKS.items()} | {_OWN: "Your own"}
        st.pills(
            "Stack of layers",
            list(titles),
            required=True,
            format_func=titles.__getitem__,
            **bound(FieldState, "stack", state.stack, then=lambda: change_state(FieldState, layer=0, row=0, column=0)),
        )
    draw_board("field", state, *unit_board(picture.pixels, picture.gray, state))


def _show_compare(state: FieldState) -> None:
    draw_board("field_compare", state, *compared())


def _show_deeper(state: FieldState) -> None:
    draw_board("field_deeper", state, *depths())


def _show_networks(state: FieldState) -> None:
    draw_board("field_networks", state, networks())


_SHOWN = {"unit": _show_unit, "compare": _show_compare, "deeper": _show_deeper, "networks": _show_networks}

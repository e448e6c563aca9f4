"""The figure of the lesson on residual connections, in three views: two stacks, one block, three problems."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import streamlit as st
from pydantic import Field

from cnncore.lessons.blocks import MAPS, block_weights, changed, maps_of, pass_block
from cnncore.lessons.depth import ACTIVATIONS, ActivationName, Initialization, Stack, pass_through
from cnncore.lessons.kernels import KERNELS
from pages.components.lesson_board import draw_board
from pages.components.lesson_depth import INITIALIZATIONS, decades, logarithms, spread
from pages.components.lesson_picture import PictureState, choose_picture
from pages.components.lesson_residual_apart import CaseName, apart_data
from pages.components.lesson_state import bound, choose_view, one_of, read_state

DEPTHS = range(4, 101, 4)
SEEDS = tuple(range(5))
SIDE = 32
WEIGHTS = tuple(round(0.1 * step, 1) for step in range(21))
"""Factors of the block's weights that can be chosen."""
_BLOCK_SEED = 2
"""F(x) is about as large as x then, and takes away here and adds there."""
_VIEWS = {"stacks": "Through a stack", "block": "One block", "apart": "Three problems told apart"}


class ResidualState(PictureState):
    """What the link says."""

    view: Literal["stacks", "block", "apart"] = "stacks"
    layers: Annotated[int, Field(ge=DEPTHS[0], le=DEPTHS[-1], title="number of layers"), one_of(DEPTHS)] = 20
    activation: ActivationName = "relu"
    initialization: Initialization = "small"
    normalized: bool = False
    map: Annotated[Literal["sobel_x", "sobel_y", "edges", "emboss"], Field(title="map")] = "sobel_x"
    weights: Annotated[float, Field(ge=WEIGHTS[0], le=WEIGHTS[-1], title="factor of the weights")] = 1.0
    case: Annotated[CaseName, Field(title="problem")] = "degradation"


def show_residual() -> None:
    """Draw the figure."""
    state = read_state(ResidualState)
    choose_view(state, _VIEWS)
    if state.view == "stacks":
        _show_stacks(state)
    elif state.view == "block":
        _show_block(state)
    else:
        draw_board("residual_apart", state, apart_data())


def _show_stacks(state: ResidualState) -> None:
    with st.container(key="learn_controls_stacks", horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(
            "Activation",
            list(ACTIVATIONS),
            format_func=lambda key: ACTIVATIONS[key].title,
            width=170,
            **bound(ResidualState, "activation", state.activation),
        )
        st.segmented_control(
            "Initial weights",
            list(INITIALIZATIONS),
            required=True,
            format_func=INITIALIZATIONS.__getitem__,
            help="How large the weights start: half of Glorot's deviation, Glorot's, He's, and twice He's.",
            **bound(ResidualState, "initialization", state.initialization),
        )
        st.toggle(
            "Batch normalization",
            help="Each unit's sums get mean 0 and deviation 1 over the batch, before a shortcut is added.",
            **bound(ResidualState, "normalized", state.normalized),
        )
    arrays = stack_arrays(state.activation, state.initialization, state.normalized)
    data = {
        "depths": list(DEPTHS),
        "draws": len(SEEDS),
        "signals": decades(arrays["signals"]),
        "gradients": decades(arrays["gradients"]),
    }
    draw_board("residual", state, data, arrays)


@st.cache_data(show_spinner=False, max_entries=40)
def stack_arrays(activation: str, initialization: Initialization, normalized: bool) -> dict[str, np.ndarray]:
    """Logarithms to the base of ten for a plain and a residual stack: median, smallest and largest of all draws.

    `signals` is (2, 3, layers + 1), `gradients` (2, 3, depths, layers + 1), the input first.
    """
    found: dict[str, list[np.ndarray]] = {"signals": [], "gradients": []}
    for residual in (False, True):
        stack = Stack(activation=activation, initialization=initialization, residual=residual, normalized=normalized)
        passage = pass_through(stack, DEPTHS, SEEDS)
        found["signals"].append(logarithms(spread(passage.signals)))
        found["gradients"].append(logarithms(spread(passage.gradients)))
    return {name: np.stack(each).astype(np.float32) for name, each in found.items()}


def _show_block(state: ResidualState) -> None:
    picture = choose_picture(state, SIDE)
    with st.container(key="learn_controls_map"):
        st.segmented_control(
            "The map that goes into the block",
            list(MAPS),
            required=True,
            format_func=lambda key: KERNELS[key].title,
            **bound(ResidualState, "map", state.map),
        )
    data, arrays = block_data(picture.gray, MAPS.index(state.map))
    draw_board("residual_block", state, data, arrays)


@st.cache_data(show_spinner=False, max_entries=12)
def block_data(gray: np.ndarray, channel: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """One channel of a block for every factor of its weights.

    Arrays: `x` (H, W); `added`, `total`, `residual` and `plain` (factors, H, W). Data: how much of x the block
    changes with the shortcut and without it, over all channels, in percent, by factor.
    """
    maps = maps_of(gray.astype(np.float64) / 255)
    first, second = block_weights(len(maps), _BLOCK_SEED)
    blocks = [pass_block(maps, factor * first, factor * second) for factor in WEIGHTS]
    names = ("added", "total", "residual", "plain")
    arrays = {name: np.stack([getattr(block, name)[channel] for block in blocks]) for name in names}
    data = {
        "weights": list(WEIGHTS),
        "changed": {
            name: [100 * changed(maps, getattr(block, name)) for block in blocks] for name in ("residual", "plain")
        },
    }
    return data, {"x": maps[channel], **arrays}

"""The figure of the lesson on activations: functions with their slopes, and what many layers of them do."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import streamlit as st
from pydantic import Field

from cnncore.lessons.depth import ACTIVATIONS, ActivationName, Initialization, Stack, histograms, pass_through
from pages.components.lesson_board import draw_board
from pages.components.lesson_depth import INITIALIZATIONS, decades, logarithms, spread
from pages.components.lesson_state import LessonState, bound, one_of, read_state

FURTHEST, STEP = 4.0, 0.05
"""The functions are drawn from −4 to 4, at every twentieth."""
MOST_LAYERS = 40
SEEDS = tuple(range(5))
BIASES = (0.0, -0.25, -0.5, -1.0)
BINS = 41
_OUTPUTS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
_UNBOUNDED = (-4.0, 4.0)
"""Where histograms end: at the function's limits, or here."""


class ActivationsState(LessonState):
    """What the link says."""

    activation: ActivationName = "relu"
    x: Annotated[float, Field(ge=-FURTHEST, le=FURTHEST)] = 1.0
    layers: Annotated[int, Field(ge=1, le=MOST_LAYERS, title="number of layers")] = 20
    initialization: Initialization = "he"
    bias: Annotated[float, one_of(BIASES)] = 0.0
    layer: Annotated[int, Field(ge=1, le=MOST_LAYERS)] = 10


def show_activations() -> None:
    """Draw the figure."""
    state = read_state(ActivationsState)
    with st.container(key="learn_controls_activations"):
        st.segmented_control(
            "Activation",
            list(ACTIVATIONS),
            required=True,
            format_func=lambda key: ACTIVATIONS[key].title,
            **bound(ActivationsState, "activation", state.activation),
        )
    _draw_unit(state)
    st.markdown("**Many layers of them**")
    with st.container(key="learn_controls_activations_stack", horizontal=True, gap="medium"):
        st.segmented_control(
            "Initial weights",
            list(INITIALIZATIONS),
            required=True,
            format_func=INITIALIZATIONS.__getitem__,
            help="How large the weights start: half of Glorot's deviation, Glorot's, He's, and twice He's.",
            **bound(ActivationsState, "initialization", state.initialization),
        )
        st.segmented_control(
            "Bias of every unit",
            list(BIASES),
            required=True,
            format_func=lambda bias: f"{bias:g}".replace("-", "−"),
            help="Biases start at 0. A single step with too high a learning rate can push them far below.",
            **bound(ActivationsState, "bias", state.bias),
        )
    _draw_stack(state)


def _draw_unit(state: ActivationsState) -> None:
    data = {
        "names": {key: spec.title for key, spec in ACTIVATIONS.items()},
        "formula": ACTIVATIONS[state.activation].formula,
        "furthest": FURTHEST,
        "step": STEP,
    }
    draw_board("activations", state, data, activation_curves())


def _draw_stack(state: ActivationsState) -> None:
    arrays = stack_arrays(state.activation, state.initialization, state.bias)
    data = {
        "color": list(ACTIVATIONS).index(state.activation),
        "draws": len(SEEDS),
        "signals": decades(arrays["signals"]),
        "gradients": decades(arrays["gradients"]),
        "outputs": list(_OUTPUTS.get(state.activation, _UNBOUNDED)),
    }
    draw_board("activations_stack", state, data, arrays)


@st.cache_data(show_spinner=False)
def activation_curves() -> dict[str, np.ndarray]:
    """`values` and `slopes` of every function from −4 to 4, each (functions, places)."""
    x = np.linspace(-FURTHEST, FURTHEST, round(2 * FURTHEST / STEP) + 1)
    # The middle is a kink of some functions, and must be 0 itself.
    x[len(x) // 2] = 0
    return {
        "values": np.stack([spec.value(x) for spec in ACTIVATIONS.values()]),
        "slopes": np.stack([spec.slope(x) for spec in ACTIVATIONS.values()]),
    }


@st.cache_data(show_spinner=False, max_entries=80)
def stack_arrays(activation: str, initialization: Initialization, bias: float) -> dict[str, np.ndarray]:
    """What the layers of a stack do, the median, the smallest and the largest of all draws.

    `signals` (3, layers + 1) and `gradients` (3, depths, layers + 1) are logarithms to the base of ten, the input
    first; `dead` (3, layers) is in percent; `histograms` (layers, bins) are percent of all outputs of all draws.
    """
    stack = Stack(activation=activation, initialization=initialization, bias=bias)
    passage = pass_through(stack, range(1, MOST_LAYERS + 1), SEEDS)
    low, high = _OUTPUTS.get(activation, _UNBOUNDED)
    found = {
        "signals": logarithms(spread(passage.signals)),
        "gradients": logarithms(spread(passage.gradients)),
        "dead": 100 * spread(passage.dead),
        "histograms": 100 * histograms(passage.outputs[1:], low, high, BINS),
    }
    return {name: each.astype(np.float32) for name, each in found.items()}

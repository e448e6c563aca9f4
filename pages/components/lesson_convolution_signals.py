"""The lesson on convolution, one dimension: one signal slides over another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from cnncore.lessons.signals import SIGNALS, SLIDING_SIGNALS, slide
from pages.components.lesson_board import draw_board
from pages.components.lesson_convolution_state import ConvolutionState
from pages.components.lesson_state import bound


def show_signals(state: ConvolutionState) -> None:
    """Draw the choice of the signals, and the figure."""
    with st.container(key="learn_controls_signals"):
        st.pills(
            "Signal",
            list(SIGNALS),
            required=True,
            format_func=lambda key: SIGNALS[key].title,
            **bound(ConvolutionState, "signal", state.signal),
        )
        st.pills(
            "What slides over it",
            list(SLIDING_SIGNALS),
            required=True,
            format_func=lambda key: SLIDING_SIGNALS[key].title,
            **bound(ConvolutionState, "other", state.other),
        )
    with st.container(key="learn_convolution_effect"):
        st.caption(f"{SIGNALS[state.signal].words} {SLIDING_SIGNALS[state.other].words}")
    draw_board("convolution_signals", state, *two_signals(state))


def two_signals(state: ConvolutionState) -> tuple[dict[str, Any], Mapping[str, np.ndarray]]:
    """What the browser draws: facts and arrays."""
    signal, other = np.array(SIGNALS[state.signal].values), np.array(SLIDING_SIGNALS[state.other].values)
    found = slide(signal, other, flip=state.flip)
    data = {"last": len(found.result) - 1}
    return data, {
        "signal": signal,
        "moving": found.moving,
        "starts": found.starts.astype(np.int32),
        "marks": found.marks.astype(np.int32),
        "products": found.products,
        "result": found.result,
    }

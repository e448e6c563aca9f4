"""How the window of the lesson on convolution moves: a row of settings, the rarer ones folded."""

from __future__ import annotations

import streamlit as st

from cnncore.lessons.kernels import LARGEST, kernel_text, resized
from pages.components.lesson_convolution_state import ConvolutionState
from pages.components.lesson_state import bound, change_state

_SIZE = "learn_convolution_size"
_PADDINGS = {"valid": "None (valid)", "same": "Same size", **{str(each): f"{each} px" for each in range(1, 7)}}
_EDGES = {"zeros": "Zeros", "reflect": "Mirrored image"}
_SIDES = {"14": "14 × 14", "28": "28 × 28", "56": "56 × 56"}
_GROUPS = {"1": "All together", "3": "In 3 groups"}
_COLORS = {"signed": "Red and blue", "gray": "Gray"}


def draw_settings(state: ConvolutionState) -> None:
    """Draw the row; with several channels their groups are chosen, and kernels have the size of their filters."""
    model, one = ConvolutionState, state.mode == "one"
    with st.container(
        key="learn_controls_sliding", horizontal=True, width="content", vertical_alignment="bottom", gap="small"
    ):
        if one:
            _choose_size(state)
        else:
            _choose_groups(state)
        st.selectbox("Stride", [1, 2, 3, 4], width=90, help=_HELP["stride"], **bound(model, "stride", state.stride))
        st.selectbox(
            "Padding",
            list(_PADDINGS),
            width=150,
            format_func=_PADDINGS.__getitem__,
            help=_HELP["padding"],
            **bound(model, "padding", state.padding),
        )
        with st.popover("More settings", icon=":material/tune:"):
            _draw_more(state)


def _draw_more(state: ConvolutionState) -> None:
    """What is changed less often."""
    model = ConvolutionState
    st.selectbox("Image", list(_SIDES), format_func=_SIDES.__getitem__, **bound(model, "side", state.side))
    st.selectbox(
        "Padded with",
        list(_EDGES),
        format_func=_EDGES.__getitem__,
        disabled=state.padding == "valid",
        **bound(model, "edge", state.edge),
    )
    st.selectbox("Dilation", [1, 2, 3, 4], help=_HELP["dilation"], **bound(model, "dilation", state.dilation))
    if state.mode == "one":
        st.selectbox(
            "Colors",
            list(_COLORS),
            format_func=_COLORS.__getitem__,
            help=_HELP["colors"],
            **bound(model, "colors", state.colors),
        )


def _choose_groups(state: ConvolutionState) -> None:
    st.selectbox(
        "Channels",
        list(_GROUPS),
        width=175,
        format_func=_GROUPS.__getitem__,
        help=_HELP["groups"],
        **bound(ConvolutionState, "groups", state.groups),
    )


def _choose_size(state: ConvolutionState) -> None:
    kernel = state.kernel
    st.session_state[_SIZE] = len(kernel)

    def changed() -> None:
        change_state(ConvolutionState, k=kernel_text(resized(kernel, st.session_state[_SIZE])))

    st.selectbox(
        "Kernel size",
        list(range(1, LARGEST + 1)),
        width=110,
        format_func=lambda side: f"{side} × {side}",
        key=_SIZE,
        on_change=changed,
    )


_HELP = {
    "stride": "Pixels that the window moves from one place to the next.",
    "padding": "Pixels that are put around the image first. Valid: none, so the window stays inside. Same: as many as "
    "keep the size.",
    "colors": "Of the feature map. Red and blue: above and below 0. Gray: 0 is black and 1 is white, what lies outside "
    "is cut off, as in a picture.",
    "groups": "All together: every filter sees all channels. In 3 groups: the filters are dealt out to the channels, "
    "and each sees its own channel only, with a third of the weights.",
    "dilation": "Pixels from one number of the kernel to the next; 2 leaves one out in between.",
}

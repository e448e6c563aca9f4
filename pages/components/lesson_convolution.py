"""The figure of the lesson on convolution: a window over an image, over three channels, or over a signal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from cnncore.errors import ConfigError
from cnncore.lessons.kernels import KERNELS, MOST, kernel_text
from cnncore.lessons.sliding import convolve, flipped
from pages.components.lesson_board import draw_board
from pages.components.lesson_convolution_channels import show_channels
from pages.components.lesson_convolution_learned import offer_learned
from pages.components.lesson_convolution_settings import draw_settings
from pages.components.lesson_convolution_signals import show_signals
from pages.components.lesson_convolution_state import ConvolutionState, pixel_values
from pages.components.lesson_picture import choose_picture
from pages.components.lesson_state import bound, change_state, read_state
from pages.components.waiting import fill_in

_MODES = {"one": "One channel", "channels": "Channels and filters", "signals": "One dimension"}
_PRESET = "learn_convolution_preset"
_FLIP = (
    "Networks multiply the kernel as it is written, which is called cross-correlation. The convolution of mathematics "
    "turns it by 180° first. A network learns its kernels, so for a network the two are equal."
)
_AS_PICTURES = ("identity", "box_blur", "gaussian", "sharpen", "emboss", "shift")
"""What these leave looks like a picture: it is shown in gray."""


def show_convolution() -> None:
    """Draw the figure; it is drawn again where a network has to be asked for its filters."""
    fill_in("convolution", _show)


def _show() -> None:
    state = read_state(ConvolutionState)
    with st.container(
        key="learn_controls_mode", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.segmented_control(
            "What slides",
            list(_MODES),
            required=True,
            format_func=_MODES.__getitem__,
            label_visibility="collapsed",
            wrap=True,
            **bound(ConvolutionState, "mode", state.mode),
        )
        st.toggle("True convolution", help=_FLIP, **bound(ConvolutionState, "flip", state.flip))
    _SHOW[state.mode](state)


def _show_one(state: ConvolutionState) -> None:
    picture = choose_picture(state, int(state.side))
    effect = _choose_kernel(state)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        draw_settings(state)
        with st.container(key="learn_convolution_effect", width="content"):
            st.caption(effect, width="content")
    draw_board("convolution", state, *one_channel(state, pixel_values(picture.gray)))


def one_channel(
    state: ConvolutionState, image: npt.NDArray[np.float64]
) -> tuple[dict[str, Any], Mapping[str, np.ndarray]]:
    """What the browser draws for an image (H, W): facts and arrays.

    Where the settings contradict each other, `problem` says why, and there is no map.
    """
    kernel = state.kernel
    applied = flipped(kernel) if state.flip else kernel
    data: dict[str, Any] = {"kernel": kernel.ravel().tolist(), "side": len(kernel), "most": MOST, "problem": ""}
    data["sum"] = float(kernel.sum())
    sliding = state.sliding(len(kernel))
    try:
        feature_map = convolve(image[None], applied[None, None], sliding)[0]
    except ConfigError as problem:
        data |= {"problem": str(problem), "sides": (0, 0, 0, 0), "formula": ""}
        return data, {"padded": image, "applied": applied}
    rows, columns = sliding.covered(image.shape)
    data |= {"sides": sliding.sides, "formula": sliding.formula(image.shape), "mirrored": state.edge == "reflect"}
    data["scale"] = float(np.abs(feature_map).max())
    return data, {
        "padded": sliding.padded(image),
        "applied": applied,
        "map": feature_map,
        "rows": rows.astype(np.int32),
        "columns": columns.astype(np.int32),
    }


def _choose_kernel(state: ConvolutionState) -> str:
    """The named kernels; the one whose numbers are those of the link is marked. Returns what the kernel does."""
    with st.container(key="learn_controls_kernel", horizontal=True, vertical_alignment="bottom", gap="small"):
        texts = {key: kernel_text(each.values) for key, each in KERNELS.items()}
        st.session_state[_PRESET] = next((key for key, text in texts.items() if text == state.k), None)

        def changed() -> None:
            key = st.session_state[_PRESET]
            if key is not None:
                change_state(ConvolutionState, k=texts[key], colors="gray" if key in _AS_PICTURES else "signed")

        st.pills(
            "Kernel",
            list(KERNELS),
            format_func=lambda key: KERNELS[key].title,
            key=_PRESET,
            on_change=changed,
            wrap=True,
            label_visibility="collapsed",
        )
        offer_learned(state)
    chosen = st.session_state[_PRESET]
    return KERNELS[chosen].effect if chosen else "A kernel of your own: its numbers can be edited in the figure."


_SHOW: dict[str, Callable[[ConvolutionState], None]] = {
    "one": _show_one,
    "channels": show_channels,
    "signals": show_signals,
}

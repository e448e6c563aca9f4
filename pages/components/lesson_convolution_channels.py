"""The lesson on convolution, several channels: what each filter makes of red, green and blue, and its one map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from cnncore.arithmetic import conv_params
from cnncore.errors import ConfigError
from cnncore.lessons.kernels import COLOR_FILTERS, MOST
from cnncore.lessons.sliding import channel_sums, seen_channels
from pages.components.lesson_board import draw_board
from pages.components.lesson_convolution_learned import offer_learned
from pages.components.lesson_convolution_settings import draw_settings
from pages.components.lesson_convolution_state import (
    MOST_FILTERS,
    Array,
    ConvolutionState,
    pixel_values,
    read_filter,
)
from pages.components.lesson_picture import choose_picture
from pages.components.lesson_state import change_state

CHANNELS = ("red", "green", "blue")
_FILTERS = "learn_convolution_filters"


def show_channels(state: ConvolutionState) -> None:
    """Draw the choice of the filters, and the figure."""
    picture = choose_picture(state, int(state.side))
    _choose_filters(state)
    draw_settings(state)
    pixels = np.repeat(picture.pixels, 3, axis=2) if picture.pixels.shape[2] == 1 else picture.pixels
    if not np.ptp(pixels, axis=2).any():
        st.caption("This picture is gray: its three channels are alike. The flower and the palace have colors.")
    draw_board("convolution_channels", state, *several_channels(state, pixel_values(pixels).transpose(2, 0, 1)))


def several_channels(state: ConvolutionState, image: Array) -> tuple[dict[str, Any], Mapping[str, np.ndarray]]:
    """What the browser draws for an image (3, H, W): facts and arrays.

    Where the settings contradict each other, `problem` says why, and there are no maps.
    """
    texts = state.filters.split(";")
    filters = np.stack([read_filter(text) for text in texts])
    count, size, groups = len(filters), filters.shape[-1], int(state.groups)
    chosen = min(state.chosen, count - 1)
    data: dict[str, Any] = {
        "named": texts,
        "kernels": filters.reshape(count, 3, -1).tolist(),
        "titles": [filter_title(text, place) for place, text in enumerate(texts)],
        "side": size,
        "chosen": chosen,
        "most": MOST,
        "problem": "",
    }
    sliding = state.sliding(size)
    given = filters
    try:
        if count % groups == 0:
            channels = [seen_channels(3, count, groups, place) for place in range(count)]
            given = np.stack([each[list(seen)] for each, seen in zip(filters, channels, strict=True)])
            data["seen"] = [list(seen) for seen in channels]
        sums = channel_sums(image, given, sliding, groups=groups, flip=state.flip)
    except ConfigError as problem:
        data |= {"problem": str(problem), "sides": (0, 0, 0, 0), "seen": [[0, 1, 2]] * count}
        return data, {"padded": image}
    rows, columns = sliding.covered((image.shape[1], image.shape[2]))
    maps = sums.sum(axis=1)
    data |= {
        "sides": sliding.sides,
        "scales": np.abs(maps).max(axis=(1, 2)).tolist(),
        "params": _parameters(count, size, groups),
        "formula": sliding.formula((image.shape[1], image.shape[2])),
    }
    return data, {
        "padded": sliding.padded(image),
        "sums": sums,
        "maps": maps,
        "rows": rows.astype(np.int32),
        "columns": columns.astype(np.int32),
    }


def filter_title(text: str, place: int) -> str:
    """What a filter of the link is called."""
    return COLOR_FILTERS[text].title if text in COLOR_FILTERS else f"Your own, {place + 1}"


def _parameters(filters: int, size: int, groups: int) -> str:
    """The number of parameters with the factors it comes from."""
    weights = conv_params(3, filters, size, groups=groups, bias=False)
    whole = conv_params(3, filters, size, groups=groups)
    each = "1 channel" if groups == 3 else "3 channels"
    biases = "1 bias" if filters == 1 else f"{filters} biases"
    return (
        f"{filters} {'filter' if filters == 1 else 'filters'} × {each} × {size} × {size} = {weights} weights, "
        f"and {biases} (0 here): {whole} parameters"
    )


def _choose_filters(state: ConvolutionState) -> None:
    """The named filters and those of the link; one at least, and at most four."""
    texts = state.filters.split(";")
    own = {text: filter_title(text, place) for place, text in enumerate(texts) if text not in COLOR_FILTERS}
    titles = {key: each.title for key, each in COLOR_FILTERS.items()} | own
    st.session_state[_FILTERS] = list(dict.fromkeys(texts))

    def changed() -> None:
        now: list[str] = st.session_state[_FILTERS]
        kept = [text for text in texts if text in now] + [text for text in now if text not in texts]
        if kept:
            change_state(ConvolutionState, filters=";".join(kept[-MOST_FILTERS:]), chosen=0)

    with st.container(key="learn_controls_filters", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.pills(
            f"Filters, up to {MOST_FILTERS}",
            list(titles),
            selection_mode="multi",
            format_func=titles.__getitem__,
            key=_FILTERS,
            on_change=changed,
            wrap=True,
        )
        offer_learned(state)
    shown = texts[min(state.chosen, len(texts) - 1)]
    with st.container(key="learn_convolution_effect"):
        st.caption(_effect(shown, apart=state.groups != "1"))


def _effect(text: str, *, apart: bool) -> str:
    """What a filter does, in a sentence."""
    if apart:
        return "In groups a filter sees its own channel only, and of its three kernels one is left."
    own = "A filter of your own: its numbers can be edited in the figure."
    return COLOR_FILTERS[text].effect if text in COLOR_FILTERS else own

"""The lesson on convolution: filters that networks have learned, to be taken as one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from cnncore.errors import ConfigError
from cnncore.figures.feature_maps import filter_pictures
from cnncore.lessons.kernels import kernel_text, learned_kernel
from pages.components.inspector_answers import answer_of
from pages.components.inspector_maps_tiles import Tiles, choose_tile
from pages.components.inspector_network import QUICK_PRESET, look_at, network_choices
from pages.components.lab import show_problem
from pages.components.lesson_convolution_state import MOST_FILTERS, ConvolutionState, read_filter
from pages.components.lesson_state import bound, change_state
from pages.components.navigation import TRAIN
from pages.components.wording import plain

OPENED = "learn_convolution_learned"
_TILES = "learn_convolution_tiles"
_NOTE = (
    "Its largest weight is made 1 or −1. In the network the pixels are normalized first, and a bias is added or what "
    "comes out is normalized."
)
Filters = npt.NDArray[np.float32]


def offer_learned(state: ConvolutionState) -> None:
    """Draw the choice; the service is asked only while it is open."""
    box = st.popover("A learned one", icon=":material/network_node:", key=OPENED, on_change="rerun")
    if not box.open:
        return
    with box:
        choices = {key: title for key, title in network_choices().items() if not key.startswith("untrained:")}
        chosen = state.network or next(iter(choices), "")
        if not chosen:
            _offer_training("No network with weights is at hand.")
            return
        titles = {chosen: chosen} | choices
        st.selectbox(
            "Network",
            list(titles),
            format_func=titles.__getitem__,
            **bound(ConvolutionState, "network", chosen),
        )
        _show_filters(state, chosen)
        if not any(key.startswith("run:") for key in choices):
            _offer_training("No network has been trained here yet.")


def _show_filters(state: ConvolutionState, network: str) -> None:
    look = look_at(network)
    if isinstance(look, str):
        st.warning(plain(look), icon=":material/image_not_supported:")
        return
    answer = answer_of("learn_convolution_filters", "filters", look.subject, words="Reading the weights…")
    if answer is None:
        return
    filters: Filters = answer.arrays["filters"]
    try:
        learned_kernel(filters[0], 1 if state.mode == "one" else 3)
    except ConfigError as problem:
        show_problem(problem)
        return
    choose_tile(
        Tiles(
            keys=range(len(filters)),
            labels=[str(place) for place in range(len(filters))],
            words=[f"Filter {place}" for place in range(len(filters))],
            pictures=filter_pictures(filters, one_scale=False),
        ),
        key=_TILES,
        label="Filters of the first convolution; arrow keys move, Enter takes one",
        hint=f"Click a filter of {answer.data['layer']} to take it.",
        chosen=None,
        on_choose=lambda place: _take(state, filters[place]),
        side_px=44,
    )
    summed = "For a gray picture its weights of the three channels are added up. "
    st.caption((summed if state.mode == "one" and filters.shape[-1] == 3 else "") + _NOTE)


def _take(state: ConvolutionState, weights: Filters) -> None:
    """The choice closes, so that one sees what the filter does."""
    st.session_state[OPENED] = False
    change_state(ConvolutionState, **with_learned(state, weights))


def with_learned(state: ConvolutionState, weights: Filters) -> dict[str, Any]:
    """What changes when a network's filter (n, n, C) is taken.

    It becomes the kernel, or one more filter of the layer; since all filters of a layer have one size, others go.
    """
    if state.mode == "one":
        return {"k": kernel_text(learned_kernel(weights, 1)), "colors": "signed"}
    taken = kernel_text(learned_kernel(weights, 3))
    alike = [text for text in state.filters.split(";") if read_filter(text).shape[-1] == len(weights)]
    filters = [*(text for text in alike if text != taken), taken][-MOST_FILTERS:]
    return {"filters": ";".join(filters), "chosen": len(filters) - 1}


def _offer_training(words: str) -> None:
    st.caption(f"{words} A network that reads digits takes less than a minute.")
    st.page_link(
        TRAIN, label="Train a digit network", icon=":material/model_training:", query_params={"preset": QUICK_PRESET}
    )

"""The figure of the lesson on transfer: what a pretrained network's stages respond to, and which of them to train."""

from __future__ import annotations

import streamlit as st

from pages.components.lesson_state import bound, read_state
from pages.components.lesson_transfer_layers import show_layers
from pages.components.lesson_transfer_state import TransferState, networks
from pages.components.lesson_transfer_training import show_training
from pages.components.waiting import fill_in

_PARTS = {"layers": "What the layers respond to", "training": "Which of them to train"}


def show_transfer() -> None:
    """Draw the figure."""
    fill_in("learn_transfer", _draw)


def _draw() -> None:
    state = read_state(TransferState)
    with st.container(key="learn_controls_transfer", horizontal=True, vertical_alignment="center", gap="medium"):
        st.segmented_control(
            "Part",
            list(_PARTS),
            required=True,
            format_func=_PARTS.__getitem__,
            label_visibility="collapsed",
            **bound(TransferState, "part", state.part),
        )
        if len(here := networks()) > 1:
            st.selectbox(
                "Pretrained network",
                list(here),
                format_func=here.__getitem__,
                label_visibility="collapsed",
                width=260,
                **bound(TransferState, "network", state.network),
            )
    (show_layers if state.part == "layers" else show_training)(state)

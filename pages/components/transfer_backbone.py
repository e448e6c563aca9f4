"""Step Backbone of the Transfer page: pretrained weights, or a network of this lab, to start from."""

from __future__ import annotations

import streamlit as st

from cnncore.errors import LabError
from pages.components.lab import show_problem
from pages.components.transfer_backbone_imagenet import show_imagenet
from pages.components.transfer_backbone_runs import show_runs
from pages.components.transfer_link import param

_SOURCES = {"imagenet": "Pretrained on ImageNet", "runs": "My runs"}
_SOURCE = "transfer_backbone_source"


def show_backbones() -> None:
    """Draw this step."""
    st.session_state.setdefault(_SOURCE, "runs" if param("from") else "imagenet")
    source = st.segmented_control(
        "Where the weights come from",
        list(_SOURCES),
        required=True,
        format_func=_SOURCES.__getitem__,
        key=_SOURCE,
        label_visibility="collapsed",
    )
    try:
        (show_runs if source == "runs" else show_imagenet)()
    except LabError as error:
        show_problem(error)

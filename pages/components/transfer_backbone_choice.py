"""Choosing where the weights come from, by the address."""

from __future__ import annotations

import streamlit as st

from cnncore.catalog.backbones import DEFAULT_BACKBONE
from pages.components.transfer_link import change_link, param

_OF_ONE_NETWORK = (
    "transfer.frozen",
    "transfer.stage_lr",
    "transfer.backbone",
    "training.start_from",
    "model.",
    "data.",
)
"""Settings, or how they begin, that mean nothing to another network or other weights."""


def choose(backbone: str = "", run: str = "") -> None:
    """Let the address name a backbone, or a run; settings that were made for another one are dropped."""
    for name in st.query_params.to_dict():
        if name.startswith(_OF_ONE_NETWORK):
            del st.query_params[name]
    change_link(backbone=backbone, **{"from": run})


def choose_and_train(backbone: str = "", run: str = "") -> None:
    """Callback of the way to the next step: it begins with what is shown as chosen, also where that is the default."""
    same = run == param("from") if run else not param("from") and backbone == (param("backbone") or DEFAULT_BACKBONE)
    if not same:
        choose(backbone, run)
    change_link(step="train", run="", backbone=backbone)

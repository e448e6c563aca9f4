"""The four steps of the Transfer page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.components.transfer_backbone import show_backbones
from pages.components.transfer_images import show_images
from pages.components.transfer_link import change_link, param
from pages.components.transfer_train import show_training
from pages.components.transfer_use import show_use


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: its name and what draws it."""

    title: str
    icon: str
    show: Callable[[], None]


STEPS: dict[str, Step] = {
    "images": Step(title="Images", icon=":material/photo_library:", show=show_images),
    "backbone": Step(title="Backbone", icon=":material/account_tree:", show=show_backbones),
    "train": Step(title="Train", icon=":material/model_training:", show=show_training),
    "use": Step(title="Use it", icon=":material/center_focus_strong:", show=show_use),
}


def draw_steps() -> str:
    """Draw the choice of steps; returns the key of the one that is shown."""
    asked = param("step")
    first = "train" if param("run") else "images"
    current = asked if asked in STEPS else first
    chosen = st.segmented_control(
        "Step",
        list(STEPS),
        default=current,
        required=True,
        format_func=lambda key: f"{STEPS[key].icon} {1 + list(STEPS).index(key)}. {STEPS[key].title}",
        key=f"transfer_step_{current}",
        label_visibility="collapsed",
        width="stretch",
    )
    if chosen and chosen != current:
        change_link(step=chosen)
        st.rerun()
    return current

"""Compare: the architectures, the runs, and two of them head to head; `?view=` says which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.components.compare_architectures import draw_architectures
from pages.components.compare_heads import show_heads
from pages.components.compare_runs import show_runs
from pages.components.navigation import guard


@dataclass(frozen=True, kw_only=True)
class View:
    """One view of the page; `draw` reads and writes its own state in the link."""

    title: str
    draw: Callable[[], None]


VIEWS: dict[str, View] = {
    "architectures": View(title="Architectures", draw=draw_architectures),
    "runs": View(title="Runs", draw=show_runs),
    "heads": View(title="Head to head", draw=show_heads),
}
"""The views by their name in the link, in the order of the switch."""


def choose_view() -> str:
    """The view that the link names, else the first one; a switch changes the link."""
    asked = st.query_params.get("view", "")
    view = asked if asked in VIEWS else next(iter(VIEWS))
    st.session_state["compare_view"] = view
    st.segmented_control(
        "View",
        list(VIEWS),
        format_func=lambda name: VIEWS[name].title,
        required=True,
        key="compare_view",
        label_visibility="collapsed",
        on_change=leave_view,
    )
    return view


def leave_view() -> None:
    """The other views' selections would mean nothing in the new one."""
    st.query_params.clear()
    st.query_params["view"] = st.session_state["compare_view"]


guard()
# Beside the title, so that it is not taken for one of the switches of a view.
with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
    st.title("Compare", anchor=False, width="content")
    view = choose_view()
VIEWS[view].draw()

"""Compare: the architectures, the runs, and two of them head to head; `?view=` says which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.components.navigation import guard


@dataclass(frozen=True, kw_only=True)
class View:
    """One view of the page; `draw` reads and writes its own state in the link."""

    title: str
    draw: Callable[[], None]


VIEWS: dict[str, View] = {}
"""The views by their name in the link, in the order of the switch."""


def choose_view() -> str:
    """The view of the link, switched by a person; the first one where the link names none or one that is not there."""
    asked = st.query_params.get("view")
    if "compare_view" not in st.session_state:
        st.session_state["compare_view"] = asked if asked in VIEWS else next(iter(VIEWS))
    return st.segmented_control(
        "View",
        list(VIEWS),
        format_func=lambda name: VIEWS[name].title,
        required=True,
        key="compare_view",
        label_visibility="collapsed",
        on_change=leave_view,
    )


def leave_view() -> None:
    """The other views' selections would mean nothing in the new one."""
    st.query_params.clear()
    st.query_params["view"] = st.session_state["compare_view"]


guard()
st.title("Compare", anchor=False)
VIEWS[choose_view()].draw()

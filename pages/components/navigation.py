"""The pages of the app, in one list, and the frame every one of them is shown in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

    from cnncore.runs.store import Run

HOME = "pages/home.py"
TRAIN = "pages/train.py"
COMPARE = "pages/compare.py"
TRANSFER = "pages/transfer.py"
INSPECTOR = "pages/inspector.py"
LEARN = "pages/learn.py"

_FRAME = "app_frame"


def pages() -> list[StreamlitPage]:
    """The pages that are built, in the order of the menu."""
    return [
        st.Page(HOME, title="Home", icon=":material/home:", default=True),
        st.Page(TRAIN, title="Train", icon=":material/model_training:"),
        st.Page(COMPARE, title="Compare", icon=":material/compare_arrows:"),
        st.Page(TRANSFER, title="Transfer", icon=":material/photo_library:"),
        st.Page(INSPECTOR, title="Inspector", icon=":material/search_insights:"),
        st.Page(LEARN, title="Learn", icon=":material/school:"),
    ]


def current_page() -> StreamlitPage:
    """Draw the menu and return the page the address asks for; only app.py calls this."""
    page = st.navigation(pages(), position="top")
    st.session_state[_FRAME] = True
    return page


def open_run(run: Run) -> None:
    """Go to the page of a run; ends this run of the page."""
    st.switch_page(TRAIN, query_params={"run": run.id})


def guard() -> None:
    """Make sure app.py frames this page; the first line of every page file.

    On a fresh server Streamlit runs files below pages/ directly when their address is opened, without app.py, until
    some session has called st.navigation. Calling it here switches that off; the rerun then comes through app.py.
    """
    if not st.session_state.pop(_FRAME, False):
        st.navigation(pages(), position="top")
        st.rerun()

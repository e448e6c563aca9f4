"""Step Train of the Transfer page: the form with the freeze diagram, or the run that the link names."""

from __future__ import annotations

import streamlit as st

from cnncore.errors import LabError
from pages.components.lab import show_problem
from pages.components.transfer_link import go_to, param
from pages.components.transfer_train_form import show_form
from pages.components.transfer_train_run import show_trained
from pages.components.transfer_train_subject import open_set


def show_training() -> None:
    """Draw this step."""
    if param("run"):
        show_trained(param("run"))
        return
    if not param("set"):
        _show_empty()
        return
    try:
        show_form()
    except LabError as error:
        show_problem(error)
        step, action, wrong = _way_back()
        st.button(action, key="transfer_back", icon=":material/arrow_back:", on_click=go_to, args=(step,), kwargs=wrong)


def _way_back() -> tuple[str, str, dict[str, str]]:
    """Where what the link names wrongly can be chosen: the step, what its button says, and what the link then loses."""
    try:
        open_set(param("set"))
    except LabError:
        return "images", "Choose images", {"set": ""}
    return "backbone", "Choose a backbone", {"backbone": "", "from": ""}


def _show_empty() -> None:
    st.html(
        "<div class='lab-empty'>Here the network learns your classes, and you decide which of its stages may change. "
        "It needs images first.</div>"
    )
    st.button(
        "Choose images",
        key="transfer_back",
        type="primary",
        icon=":material/photo_library:",
        on_click=go_to,
        args=("images",),
    )

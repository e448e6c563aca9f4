"""Deleting a run, after asking."""

from __future__ import annotations

import streamlit as st

from cnncore.runs.artifacts import remove
from cnncore.runs.store import Run
from pages.components.lab import artifacts, shown_errors, store
from pages.components.navigation import TRAIN


@st.dialog("Delete this run?")
def confirm_delete(run: Run) -> None:
    """Ask, then delete the run with its log, weights and checkpoints."""
    with shown_errors():
        st.write(f"**{run.name}**, its curves, weights and checkpoints will be gone for good.")
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Keep it", key="run_delete_no"):
                st.rerun()
            if st.button("Delete", type="primary", icon=":material/delete:", key="run_delete_yes"):
                store().delete(run.id)
                remove(artifacts(), run.id)
                st.switch_page(TRAIN)

"""The training of the Transfer page."""

from __future__ import annotations

import streamlit as st


def show_training() -> None:
    """Draw this step."""
    st.caption("The training.")

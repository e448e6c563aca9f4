"""The backbone of the Transfer page."""

from __future__ import annotations

import streamlit as st


def show_backbones() -> None:
    """Draw this step."""
    st.caption("The backbone.")

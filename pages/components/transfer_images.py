"""The images of the Transfer page."""

from __future__ import annotations

import streamlit as st


def show_images() -> None:
    """Draw this step."""
    st.caption("The images.")

"""What the classifier says of the Transfer page."""

from __future__ import annotations

import streamlit as st


def show_use() -> None:
    """Draw this step."""
    st.caption("What the classifier says.")

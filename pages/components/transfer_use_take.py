"""Stub."""

from __future__ import annotations

import streamlit as st

from cnncore.runs.run import Run


def show_take(run: Run) -> None:
    """Draw this view."""
    st.caption("…")


def draw_open_zip() -> None:
    """Later."""

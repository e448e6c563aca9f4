"""A button that prints the lesson: its text and its figure on white paper, without controls."""

from __future__ import annotations

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

_CSS = """
.lab-print { font: inherit; color: var(--st-text-color); background: none; border: 0; padding: .4rem .6rem;
  border-radius: .5rem; cursor: pointer; white-space: nowrap; }
.lab-print:hover { color: var(--st-primary-color); }
.lab-print:focus-visible { outline: 2px solid var(--st-primary-color); }
"""
_JS = """
export default function ({ parentElement }) {
  parentElement.querySelector('.lab-print').onclick = () => window.print();
}
"""


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    html = "<button type='button' class='lab-print'>Print</button>"
    return component("lab_learn_print", html=html, css=_CSS, js=_JS, isolate_styles=False)


def draw_print() -> None:
    """Draw the button."""
    _component()(key="learn_print", width="content")

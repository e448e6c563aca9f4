"""A lesson begins at its top: when another one is opened, the page scrolls up and the focus goes to its title."""

from __future__ import annotations

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

_JS = """
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector('.lab-arrival');
  const before = root.dataset.lesson;
  root.dataset.lesson = data.lesson;
  if (before === undefined || before === data.lesson) return;
  document.querySelector('[data-testid="stMain"]')?.scrollTo({ top: 0, behavior: 'instant' });
  requestAnimationFrame(() => {
    const title = document.querySelector('.st-key-learn_lesson h2');
    title?.setAttribute('tabindex', '-1');
    title?.focus({ preventScroll: true });
  });
}
"""


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    html = "<span class='lab-arrival' hidden></span>"
    return component("lab_learn_arrival", html=html, js=_JS, isolate_styles=False)


def begin_at_top(lesson: str) -> None:
    """Tell the browser which lesson is open."""
    _component()(key="learn_arrival", data={"lesson": lesson}, height=1)

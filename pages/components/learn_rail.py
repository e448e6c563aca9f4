"""The contents: every lesson, which ones this browser has opened, and which of their tasks it has seen answered.

The browser remembers that, not the server: it needs no account, and outlasts a reload.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.lessons.contents import LESSONS

_KEY = "learn_rail"


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    css, js = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".css", ".js"))
    return component("lab_learn_rail", html="<nav class='lab-rail'></nav>", css=css, js=js, isolate_styles=False)


def draw_rail(current: str, *, answered: bool, on_choose: Callable[[str], None]) -> None:
    """Draw the contents.

    Args:
        current: Key of the lesson that is open.
        answered: Whether the answer to its task is shown.
        on_choose: Called with the key of the lesson that is chosen, before the page is drawn again.
    """

    def told() -> None:
        found = st.session_state[_KEY].get("chosen")
        if isinstance(found, str) and found in LESSONS:
            on_choose(found)

    lessons = [{"key": key, "title": lesson.title} for key, lesson in LESSONS.items()]
    data = {"lessons": lessons, "current": current, "answered": answered}
    _component()(key=_KEY, data=json.dumps(data).encode(), on_chosen_change=told)

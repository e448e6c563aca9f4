"""Buttons whose click is not lost while a page redraws parts of itself."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

_FRESH_S = 10.0
"""How long a click waits for the page to come to its button; a page that is drawn later is another one."""


def clicked(label: str, *, key: str, about: str = "", **looks: Any) -> bool:
    """Draw a button; whether it was clicked since this was last asked.

    `st.button` says so in one drawing of the page only. Where parts of a page redraw themselves, one of them may begin
    just then, and the drawing goes on without the click: of seven on a run's "Stop", on a busy machine, two were lost.
    A callback is run in any case, so it notes the click until the page reads it here.

    Args:
        label: What the button says.
        key: Of the button; one on a page.
        about: What the click is about, such as the id of a run; a click waits for a button about the same.
        looks: What else `st.button` takes.
    """
    name = f"{key}_clicked"
    st.button(label, key=key, on_click=_note, args=(name, about), **looks)
    what, when = st.session_state.pop(name, (None, 0.0))
    return what == about and time.monotonic() - when < _FRESH_S


def _note(name: str, about: str) -> None:
    st.session_state[name] = about, time.monotonic()

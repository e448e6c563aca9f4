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
    st.button(label, key=key, on_click=_note, args=(key, about), **looks)
    return _heard(key, about)


def submitted(label: str, *, key: str, about: str = "", **looks: Any) -> bool:
    """The same of the button that sends a form."""
    st.form_submit_button(label, key=key, on_click=_note, args=(key, about), **looks)
    return _heard(key, about)


def _note(key: str, about: str) -> None:
    st.session_state[f"{key}_clicked"] = about, time.monotonic()


def _heard(key: str, about: str) -> bool:
    what, when = st.session_state.pop(f"{key}_clicked", (None, 0.0))
    return what == about and time.monotonic() - when < _FRESH_S

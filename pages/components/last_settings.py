"""The settings that a person last used on the Train page, kept in their browser: of the last change or the last start.

The server keeps nothing. A page that is opened without settings, by a session that has none, asks the browser; until
it answers the form stays out of sight, so that it does not change before one's eyes. Whatever was entered in the
meantime wins. What the browser holds may be of another version of the lab, or not ours at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.catalog import DEFAULT_PRESET, PRESETS
from cnncore.config import TrainConfig, flatten, preset
from pages.components.form_state import LAST, NOTICES, VALUES, Form, is_edited, use
from pages.components.lab import run_name
from pages.components.links import Link, link_params, read_link
from pages.components.wording import plain

HEARD = "train_last_heard"
"""Where the session puts what the browser answered, until the form is read."""
_KEY = "train_last_settings"
_SEEN, _KEPT = "train_last_seen", "train_last_kept"
_MOST_CHARACTERS = 8_000
_DEFAULTS = {"preset": DEFAULT_PRESET}


@dataclass(frozen=True, kw_only=True)
class LastSettings:
    """What the form was filled in with.

    Attributes:
        words: The settings in a few words.
        is_whole: Whether all of them were still possible.
    """

    words: str
    is_whole: bool


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    return component("lab_last_settings", html="<span></span>", js=Path(__file__).with_suffix(".js").read_text("utf-8"))


def read_last(text: object) -> Link | None:
    """The settings that a browser holds, as far as they are possible; None where they are not to be understood."""
    if not isinstance(text, str) or len(text) > _MOST_CHARACTERS:
        return None
    try:
        params: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(params, dict) or not all(isinstance(value, str) for value in params.values()):
        return None
    # What differs from a preset means nothing without it.
    return read_link(params) if params.get("preset") in PRESETS else None


def ask_for_last() -> bool:
    """Fill the form in with what the browser answered, before the form is read; returns whether to ask it now."""
    heard = st.session_state.pop(HEARD, None)
    if heard is not None and not _is_touched():
        # The inputs are told what to hold whatever was heard: this drawing may replace one that they have not seen yet.
        _fill_in(read_last(heard) or Link(preset=DEFAULT_PRESET, config=preset(DEFAULT_PRESET)))
    return not st.query_params and VALUES not in st.session_state


def _fill_in(link: Link) -> None:
    use(link.config, link.preset)
    st.session_state.pop(_SEEN, None)
    if link_params(link.config, link.preset) != _DEFAULTS:
        st.session_state[LAST] = LastSettings(words=_words(link.config), is_whole=not link.problems)


def _is_touched() -> bool:
    return st.session_state.get(VALUES) != flatten(preset(DEFAULT_PRESET)) or is_edited()


def _words(config: TrainConfig) -> str:
    epochs = config.training.epochs
    return f"{run_name(config)}, {epochs:,} {'epoch' if epochs == 1 else 'epochs'}"


def follow_form(form: Form) -> None:
    """Keep what a person has changed; what a link has filled in is not theirs until they change or start it."""
    if form.errors:
        return
    params = link_params(form.config, form.preset)
    if not form.followed and st.session_state.get(_SEEN, params) != params:
        _keep(params)
    st.session_state[_SEEN] = params


def keep_started(form: Form) -> None:
    """Keep what a training is started with."""
    st.session_state.pop(LAST, None)
    _keep(link_params(form.config, form.preset))


def _keep(params: Mapping[str, str]) -> None:
    """Let the browser keep these settings; of the defaults it keeps nothing."""
    if len(json.dumps(params)) > _MOST_CHARACTERS:
        return
    # The turn tells the same settings used again, in this tab after another one, from a page drawn again.
    turn = st.session_state.get(_KEPT, {"turn": 0})["turn"] + 1
    st.session_state[_KEPT] = {"turn": turn, "settings": None if params == _DEFAULTS else dict(params)}


def talk_to_browser(*, asks: bool) -> None:
    """Tell the browser what to keep and, where the page `asks`, let it tell what it holds."""

    def told() -> None:
        st.session_state[HEARD] = st.session_state[_KEY].get("found")

    with st.container(key=_KEY + "_box"):
        data = {"asks": asks, "kept": st.session_state.get(_KEPT)}
        _component()(key=_KEY, data=data, height=1, on_found_change=told)
        if asks:
            # With this mark the form is out of sight (style.py); Streamlit removes it at the end of the next run.
            st.html("<span class='lab-asks'></span>")


def draw_last() -> None:
    """One line that says what the form was filled in with, and the way back."""
    last: LastSettings | None = st.session_state.get(LAST)
    # The place is always taken, so that the form below keeps its own when the line goes.
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="train_last"):
        if last is None:
            return
        rest = "" if last.is_whole else ". Some of them are not possible any more and were left out."
        st.caption(f"Your last settings: {plain(last.words)}{rest}", width="content")
        st.button(
            "Back to the defaults",
            key="train_last_forget",
            type="tertiary",
            icon=":material/undo:",
            on_click=_forget,
        )


def _forget() -> None:
    st.session_state.pop(NOTICES, None)
    use(preset(DEFAULT_PRESET), DEFAULT_PRESET)

"""A strip of small pictures of which one is chosen, by click or by keyboard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One picture: its name among the choices, its address, a line below it, and what it is for those who cannot see.

    Attributes:
        name: What a choice is told by.
        source: A data URL.
        label: Below the picture.
        words: In full.
    """

    name: str
    source: str
    label: str
    words: str


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    css, js = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".css", ".js"))
    return component("lab_picture_choice", html="<div class='lab-choice'></div>", css=css, js=js, isolate_styles=False)


def choose_picture_of(choices: Sequence[Choice], chosen: str, *, key: str, label: str) -> str | None:
    """Draw the strip; returns the name that was chosen just now, None where nothing was.

    Args:
        choices: The pictures.
        chosen: Name of the one that is marked.
        key: Name of the strip on the page.
        label: What can be chosen here, for those who cannot see it.
    """
    tiles = [{"name": each.name, "src": each.source, "label": each.label, "words": each.words} for each in choices]
    data = json.dumps({"label": label, "chosen": chosen, "tiles": tiles}, ensure_ascii=False).encode()
    found = _component()(key=key, data=data, on_picked_change=lambda: None)
    return read_choice(getattr(found, "picked", None), choices)


def read_choice(picked: object, choices: Sequence[Choice]) -> str | None:
    """The name that a browser sent, where it is one of the choices."""
    return picked if isinstance(picked, str) and picked in {each.name for each in choices} else None

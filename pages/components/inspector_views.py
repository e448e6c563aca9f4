"""The views of the Inspector, in one table, and the choice between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from cnncore.errors import LabError
from pages.components.inspector_answers import ask_prediction
from pages.components.inspector_embedding import show_embedding
from pages.components.inspector_errors import show_errors
from pages.components.inspector_excites import show_excites
from pages.components.inspector_link import Look, change_link, param
from pages.components.inspector_maps import show_maps
from pages.components.inspector_weights import show_weights
from pages.components.inspector_why import show_why
from pages.components.wording import plain

_KEY = "inspector_view"
_EMPTY = "<div class='lab-empty' style='min-height:9rem'>{}</div>"


@dataclass(frozen=True, kw_only=True)
class View:
    """One view.

    Attributes:
        title: On its button.
        icon: Likewise.
        show: Draws it.
        needs_picture: Whether it is about a picture.
    """

    title: str
    icon: str
    show: Callable[[Look], None]
    needs_picture: bool = False


VIEWS: dict[str, View] = {
    "maps": View(title="Maps", icon=":material/grid_on:", show=show_maps, needs_picture=True),
    "why": View(title="Why", icon=":material/lightbulb:", show=show_why, needs_picture=True),
    "excites": View(title="What excites it", icon=":material/bolt:", show=show_excites),
    "errors": View(title="Where it errs", icon=":material/rule:", show=show_errors),
    "embedding": View(title="Embedding", icon=":material/scatter_plot:", show=show_embedding),
    "weights": View(title="Weights", icon=":material/bar_chart:", show=show_weights),
}


def choose_view() -> View:
    """Draw the choice of the view."""
    asked = param("view")
    current = asked if asked in VIEWS else next(iter(VIEWS))
    if asked and asked != current:
        st.warning(f"There is no view {plain(repr(asked[:40]))}; allowed: {', '.join(VIEWS)}.")
    st.session_state[_KEY] = current
    st.segmented_control(
        "View",
        list(VIEWS),
        required=True,
        format_func=lambda name: f"{VIEWS[name].icon} {VIEWS[name].title}",
        key=_KEY,
        wrap=True,
        label_visibility="collapsed",
        on_change=lambda: change_link(view=st.session_state[_KEY], part="", page=""),
    )
    return VIEWS[current]


def show_view(view: View, look: Look) -> None:
    """Draw a view, or say what it needs first."""
    if view.needs_picture and not look.picture:
        st.html(_EMPTY.format("Choose a picture first."))
        return
    if view.needs_picture and _must_be_mended(look):
        st.html(_EMPTY.format("Nothing can be looked at here until what is said above is mended."))
        return
    view.show(look)


def _must_be_mended(look: Look) -> bool:
    """Whether what is said of the picture is what is wrong with it, which the view need not repeat.

    What the service could not do for the moment is asked again by each part of the page.
    """
    error = ask_prediction(look).error
    return error is not None and type(error) is not LabError

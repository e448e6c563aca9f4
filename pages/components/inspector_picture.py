"""Which picture the Inspector shows to the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from cnncore.catalog.datasets import DIGITS
from cnncore.errors import LabError
from cnncore.images.drawing import read_drawing
from cnncore.images.kept_pictures import kept_picture
from cnncore.images.picture_reference import parse_picture
from pages.components.inspector_link import Look, change_link, param
from pages.components.inspector_picture_drawn import draw_digit, forget_drawing
from pages.components.inspector_picture_given import (
    example_picture,
    paste_picture,
    photograph,
    show_kept,
    upload_picture,
)
from pages.components.inspector_picture_images import choose_image, first_image
from pages.components.lab import artifacts, show_problem
from pages.components.wording import plain

_SOURCE, _SEEN = "inspector_source", "inspector_source_of"
_SMALL = 64


@dataclass(frozen=True, kw_only=True)
class Source:
    """One way to a picture: its button, what draws it and returns the reference, and the kinds that come from it."""

    title: str
    choose: Callable[[Look, str], str]
    kinds: tuple[str, ...]


def _draw(look: Look, asked: str) -> str:
    if asked.startswith("drawn:"):
        return draw_digit(look, asked)
    drawn = draw_digit(look, "")
    if asked:
        # The field has taken the place of another picture.
        change_link(picture=drawn)
    return drawn


SOURCES: dict[str, Source] = {
    "draw": Source(title="Draw", choose=_draw, kinds=("drawn",)),
    "images": Source(title="Images", choose=choose_image, kinds=("sample", "data", "set")),
    "upload": Source(title="Upload", choose=upload_picture, kinds=("kept",)),
    "paste": Source(title="Paste", choose=paste_picture, kinds=("kept",)),
    "camera": Source(title="Camera", choose=photograph, kinds=("kept",)),
}


def choose_picture(look: Look) -> Look:
    """Draw the choice of the picture; returns the look with it."""
    asked = _asked()
    small_gray = look.channels == 1 and look.size <= _SMALL
    names = list(SOURCES) if small_gray else [*(name for name in SOURCES if name != "draw"), "draw"]
    source = _choose_source(look, names, asked)
    asked = asked or _default(look, source)
    try:
        picture = SOURCES[source].choose(look, asked)
    except LabError as error:
        show_problem(error)
        picture = asked
    if source != "draw":
        forget_drawing()
    if "kept" in SOURCES[source].kinds:
        show_kept(picture)
    return replace(look, picture=picture)


def _asked() -> str:
    """The picture of the link, empty where it has none; one that cannot be is one sentence."""
    asked = param("picture")
    if not asked:
        return ""
    try:
        reference = parse_picture(asked)
        if reference.kind == "drawn":
            read_drawing(reference.source)
        if reference.kind == "kept":
            kept_picture(artifacts(), reference.source)
        return str(reference)
    except LabError as error:
        st.warning(plain(f"{error.message} {error.hint}".strip()), icon=":material/link_off:")
        return ""


def _choose_source(look: Look, names: list[str], asked: str) -> str:
    """The source that was chosen; that of the picture where a link brought another one."""
    if st.session_state.get(_SEEN) != param("picture") or _SOURCE not in st.session_state:
        _note_picture()
        kind = parse_picture(asked).kind if asked else ""
        now = st.session_state.get(_SOURCE)
        if asked and (now is None or kind not in SOURCES[now].kinds):
            st.session_state[_SOURCE] = next(name for name, source in SOURCES.items() if kind in source.kinds)
        elif now is None:
            st.session_state[_SOURCE] = _first_source(look)
    st.segmented_control(
        "Picture",
        names,
        required=True,
        format_func=lambda name: SOURCES[name].title,
        key=_SOURCE,
        on_change=_note_picture,
    )
    return st.session_state[_SOURCE]


def _note_picture() -> None:
    """The source fits the picture of the link, or a person chose it in spite of it."""
    st.session_state[_SEEN] = param("picture")


def _first_source(look: Look) -> str:
    if look.classes == DIGITS and look.channels == 1:
        return "draw"
    return "images" if look.network.startswith("run:") else "upload"


def _default(look: Look, source: str) -> str:
    """The picture to begin with."""
    if source == "draw":
        return ""
    return first_image(look) if look.network.startswith("run:") else example_picture()

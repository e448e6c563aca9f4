"""A drawn digit as the picture: a stroke draws only what is said of it anew; the link follows when the pen rests.

Every change of the link is an entry of the browser's history, and the views below take longer than a stroke.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import streamlit as st

from cnncore.errors import DataError, LabError
from cnncore.images.drawing import SIDE, drawing_text, example_digit, like_mnist, read_drawing
from cnncore.images.picture_reference import PictureReference, parse_picture
from pages.components.digit_pad import draw_pad, read_pad
from pages.components.inspector_link import change_link
from pages.components.lab import show_problem
from pages.components.own_addresses import is_own, remember
from pages.components.transfer_use_answers import data_url
from pages.components.waiting import fill_in, part_key

PREDICTION = "inspector_prediction"
"""The part of the page that follows the drawing; the other one is the digit beside the field."""
_DIGIT = "inspector_digit"
_PAD, _STATE, _WRITTEN = "inspector_pad", "inspector_drawing", "inspector_drawings"


@dataclass
class _Drawing:
    """What the field shows.

    Attributes:
        turn: Counts what was given to the field to begin with.
        reference: What the field shows now, as a picture's reference; empty where nothing is drawn.
        live: Whether the field has been drawn in since its turn began.
        problem: Why what it sent last cannot be shown.
    """

    turn: int
    reference: str
    live: bool = False
    problem: str = ""


@cache
def _example() -> str:
    """The digit to begin with."""
    return _reference(example_digit())


def _reference(digit: np.ndarray) -> str:
    return str(PictureReference(kind="drawn", source=drawing_text(digit)))


def live_picture(reference: str) -> str:
    """The picture that is drawn at the moment; the one of the link where none is."""
    drawing: _Drawing | None = st.session_state.get(_STATE)
    return drawing.reference if drawing is not None and drawing.live else reference


def forget_drawing() -> None:
    """The picture comes from elsewhere now."""
    st.session_state.pop(_STATE, None)


def draw_digit(asked: str) -> str:
    """The field; returns the reference of what is drawn, empty where it is nothing.

    Args:
        asked: The drawing of the link; empty where it has none.
    """
    drawing = _drawing(asked)
    left, right = st.columns([5, 2], gap="small", wrap=False)
    with left:
        draw_pad(
            _PAD,
            drawing.turn,
            _digit(drawing.reference),
            is_example=drawing.reference == _example() and not drawing.live,
            on_drawn=_follow,
            on_settled=_settle,
        )
    with right:
        fill_in(_DIGIT, _show_digit)
    st.caption(
        "As MNIST's digits were made: scaled to fit 20 × 20 pixels, its center of mass in the middle of 28 × 28 "
        "(LeCun et al., 1998). Keyboard: arrows move, Space puts the pen down and lifts it."
    )
    return drawing.reference


def _drawing(asked: str) -> _Drawing:
    """What the field shows; it begins anew where the link names another drawing than the field made."""
    before: _Drawing | None = st.session_state.get(_STATE)
    if before is not None and (asked in ("", before.reference) or _is_late(asked)):
        return before
    turn = 1 + st.session_state.get(f"{_STATE}_turn", 0)
    st.session_state[f"{_STATE}_turn"] = turn
    st.session_state[_STATE] = found = _Drawing(turn, asked or _example())
    return found


def _is_late(asked: str) -> bool:
    """Whether the browser names an earlier drawing of this field, which its address has not caught up with."""
    return is_own(_WRITTEN, {"picture": asked}, edited=lambda: False)


def _digit(reference: str) -> np.ndarray | None:
    if not reference:
        return None
    return read_drawing(parse_picture(reference).source)


def _follow() -> None:
    """Callback of the field: takes what it sent, and draws what depends on it."""
    drawing: _Drawing = st.session_state[_STATE]
    try:
        sent = read_pad(st.session_state.get(_PAD), drawing.turn)
        drawing.problem = ""
        if sent is not None:
            digit = like_mnist(sent)
            drawing.reference, drawing.live = "" if digit is None else _reference(digit), True
    except DataError as error:
        drawing.problem = f"{error.message} {error.hint}"
    st.rerun([part_key(PREDICTION), part_key(_DIGIT)])


def _settle() -> None:
    """Callback of the field: the link and the views follow the drawing."""
    drawing: _Drawing = st.session_state[_STATE]
    remember(_WRITTEN, {"picture": drawing.reference})
    change_link(picture=drawing.reference)


def _show_digit() -> None:
    drawing: _Drawing | None = st.session_state.get(_STATE)
    if drawing is None:
        return
    if drawing.problem:
        show_problem(DataError(drawing.problem))
    try:
        digit = _digit(drawing.reference)
    except LabError as error:
        show_problem(error)
        return
    pixels = np.zeros((SIDE, SIDE), np.uint8) if digit is None else digit
    st.html(
        f"<figure class='lab-digit'><img alt='The drawing in 28 × 28 pixels' src='{data_url(pixels[..., None])}'>"
        "<figcaption>as MNIST would have it</figcaption></figure>"
        "<style>.lab-digit { margin: 0; max-width: 112px; } .lab-digit img { width: 100%; image-rendering: pixelated; "
        "border-radius: 4px; display: block; } .lab-digit figcaption { font-size: .72rem; opacity: .75; }</style>"
    )

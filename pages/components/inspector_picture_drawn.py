"""A drawn digit as the picture: a stroke draws only what is said of it anew; the link follows when the pen rests.

Every change of the link is an entry of the browser's history, and the views below take longer than a stroke.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import streamlit as st

from cnncore.errors import DataError
from cnncore.images.drawing import SIDE, drawing_text, example_digit, like_mnist, read_drawing
from cnncore.images.picture_reference import PictureReference, parse_picture
from pages.components.digit_pad import draw_pad, read_pad
from pages.components.inspector_answers import PREDICTION, ask_prediction
from pages.components.inspector_link import Look, change_link
from pages.components.own_addresses import is_own, remember
from pages.components.transfer_use_answers import data_url
from pages.components.waiting import fill_in, part_key
from pages.components.wording import plain, share_text

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


def draw_digit(look: Look, asked: str) -> str:
    """The field; returns the reference of what is drawn, empty where it is nothing.

    Args:
        look: The network.
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
        fill_in(_DIGIT, lambda: _show_digit(look))
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
    drawing: _Drawing | None = st.session_state.get(_STATE)
    if drawing is None:  # a stroke that was on its way when another picture was chosen
        return
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
    drawing: _Drawing | None = st.session_state.get(_STATE)
    if drawing is None:
        return
    remember(_WRITTEN, {"picture": drawing.reference})
    change_link(picture=drawing.reference)


def _show_digit(look: Look) -> None:
    """The drawing as the network gets it, and in a word what it says, since on a phone the rest is out of sight."""
    drawing: _Drawing | None = st.session_state.get(_STATE)
    if drawing is None:
        return
    if drawing.problem:
        st.caption(plain(drawing.problem))
    digit = _digit(drawing.reference)
    pixels = np.zeros((SIDE, SIDE), np.uint8) if digit is None else digit
    said = "" if digit is None else _said(replace(look, picture=drawing.reference))
    st.html(
        f"{_STYLE}<figure class='lab-digit'><img alt='The drawing in 28 × 28 pixels' "
        f"src='{data_url(pixels[..., None])}'><figcaption>as MNIST would have it</figcaption>{said}</figure>"
    )


def _said(look: Look) -> str:
    answer = ask_prediction(look).answer
    if answer is None:
        return ""
    first, share = html.escape(answer.data["classes"][0]), float(answer.arrays["shares"][0])
    return f"<div class='lab-digit-said' title='{first}'>{first}</div><figcaption>{share_text(share)}</figcaption>"


_STYLE = """<style>
.lab-digit { margin: 0; max-width: 112px; min-width: 0; }
.lab-digit img { display: block; width: 100%; image-rendering: pixelated; border-radius: 4px; }
.lab-digit figcaption { font-size: .72rem; opacity: .75; }
.lab-digit-said { font-size: 1.7rem; font-weight: 650; line-height: 1.2; margin-top: .5rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
</style>"""

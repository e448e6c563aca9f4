"""A field to draw a digit in: with mouse, finger, pen or the keyboard; it tells the drawing while it comes about.

The browser keeps the strokes, so that they can be undone; the server gets pictures of them, which may be hostile.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.errors import DataError
from cnncore.images.drawing import Gray

SIDE = 280
"""Pixels of the drawing, along a side."""
LONGEST = 200_000
"""Characters that a drawing may arrive in; an ordinary one has some 5,000."""
_PREFIX = "data:image/png;base64,"


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    css, js = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".css", ".js"))
    return component("lab_digit_pad", html="<div class='lab-pad'></div>", css=css, js=js, isolate_styles=False)


def draw_pad(
    key: str,
    turn: int,
    start: Gray | None,
    *,
    is_example: bool,
    on_drawn: Callable[[], None],
    on_settled: Callable[[], None],
) -> None:
    """Draw the field.

    Args:
        key: Its name on the page; what it sends stands in the session's state under it, for `read_pad`.
        turn: A number whose change replaces the drawing by `start`.
        start: What is there at first, uint8 (28, 28); None for nothing.
        is_example: Whether the first stroke replaces the start instead of adding to it.
        on_drawn: Called whenever the drawing has changed, also while a stroke is on, some times a second.
        on_settled: Called when it has not changed for a moment.
    """
    data = {"turn": turn, "side": SIDE, "example": is_example, "start": "" if start is None else _data_url(start)}
    _component()(key=key, data=json.dumps(data).encode(), on_drawn_change=on_drawn, on_settled_change=on_settled)


def read_pad(state: object, turn: int) -> Gray | None:
    """The drawing that a browser sent, white on black, uint8 (SIDE, SIDE); None where it sent none of this turn.

    Raises:
        DataError: if what it sent is no drawing.
    """
    drawn = state.get("drawn") if isinstance(state, Mapping) else None
    if drawn is None:
        return None
    text = drawn.get("png") if isinstance(drawn, Mapping) else None
    if not isinstance(text, str) or not text.startswith(_PREFIX) or len(text) > LONGEST:
        raise DataError("What the pad sent is no drawing.", "Clear it and draw once more.")
    return _decoded(text.removeprefix(_PREFIX)) if drawn.get("turn") == turn else None


def _decoded(text: str) -> Gray:
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=("PNG",)) as image:
            if image.size == (SIDE, SIDE):
                return np.asarray(image.convert("L"))
    except Exception:  # decoders raise nearly anything
        raise DataError("The drawing arrived damaged.", "Draw once more.") from None
    raise DataError(f"A drawing has {SIDE} × {SIDE} pixels.", "Draw once more.")


def _data_url(digit: Gray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(digit).save(buffer, format="PNG")
    return _PREFIX + base64.b64encode(buffer.getvalue()).decode()

"""The ways in which a person gives a lesson a picture: a file, the clipboard, a drawing, the camera.

Whatever comes goes through the checks of every upload; what is refused is one sentence, and the picture stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnncore.errors import LabError
from cnncore.images.decode import EXTENSIONS
from cnncore.images.drawing import Gray, drawing_text, like_mnist, read_drawing
from cnncore.images.kept_pictures import keep_picture
from cnncore.images.limits import limits
from cnncore.images.picture_reference import PictureReference
from pages.components.digit_pad import draw_pad, read_pad
from pages.components.lab import artifacts, show_problem
from pages.components.lesson_state import LessonState, change_state, take_told
from pages.components.transfer_use_paste import paste_box, pasted

OPENED = "learn_own_opened"
"""Where the session keeps whether the choice is open."""
SOURCE = "learn_own_source"
_REFUSED = "learn_own_refused"
_PAD, _BEGUN = "learn_own_pad", "learn_own_begun"
_FILE, _PASTE, _CAMERA = "learn_own_file", "learn_own_paste", "learn_own_camera"
_ENDINGS = sorted(ending.removeprefix(".") for ending in EXTENSIONS)
_DRAWN = "drawn:"

Model = type[LessonState]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pad:
    """What the drawing field began with: the count of its beginnings, and a digit, uint8 (28, 28), or nothing."""

    turn: int
    start: Gray | None


def offer_own(model: Model, own: str) -> None:
    """Draw the button and, once it is open, the ways to a picture.

    Args:
        model: Of the lesson; its field `picture` takes the reference.
        own: Reference of the picture a person gave last; empty where there is none.
    """
    box = st.popover(
        "Add your own",
        icon=":material/add_photo_alternate:",
        key=OPENED,
        on_change=_turn_to,
        args=(model,),
    )
    if not box.open:
        return
    with box:
        source = st.segmented_control(
            "From",
            list(SOURCES),
            required=True,
            default=next(iter(SOURCES)),
            format_func=lambda name: SOURCES[name][0],
            key=SOURCE,
            label_visibility="collapsed",
            on_change=_turn_to,
            args=(model,),
        )
        SOURCES[source or next(iter(SOURCES))][1](model, own)
        if refused := st.session_state.get(_REFUSED):
            show_problem(refused)


def _turn_to(model: Model) -> None:
    """Another way is looked at, or none any more: a drawing that is still on counts as it is."""
    if st.session_state.get(_PAD) is not None:
        _follow(model, settled=True)
    st.session_state.pop(_REFUSED, None)
    st.session_state[_BEGUN] = None


def _upload(model: Model, _own: str) -> None:
    st.file_uploader(
        "Picture",
        type=_ENDINGS,
        key=_FILE,
        label_visibility="collapsed",
        max_upload_size=limits().image_mb,
        on_change=lambda: _take(model, _file(_FILE)),
    )


def _paste(model: Model, _own: str) -> None:
    paste_box(_PASTE, lambda: _take(model, lambda: (pasted(_PASTE), "that was pasted")))


def _photograph(model: Model, _own: str) -> None:
    st.camera_input("Hold it in front of the camera", key=_CAMERA, on_change=lambda: _take(model, _file(_CAMERA)))


def _file(key: str) -> Callable[[], tuple[bytes | None, str]]:
    """Gives content and name of the file in an input, None for the content where it was emptied."""

    def given() -> tuple[bytes | None, str]:
        file: Any = st.session_state.get(key)
        if file is None:
            return None, ""
        return file.getvalue(), file.name.replace("\\", "/").rpartition("/")[2][:80] or "picture"

    return given


def _take(model: Model, given: Callable[[], tuple[bytes | None, str]]) -> None:
    """Keep what was given and show it; the choice closes, so that one sees it."""
    st.session_state.pop(_REFUSED, None)
    try:
        content, name = given()
        if content is None:
            return
        kept = keep_picture(artifacts(), content, name)
    except LabError as error:
        st.session_state[_REFUSED] = error
        return
    st.session_state[OPENED] = False
    change_state(model, picture=str(PictureReference(kind="kept", source=kept)))


def _draw(model: Model, own: str) -> None:
    """The field; the figure follows each stroke, the link once the pen rests."""
    pad: _Pad | None = st.session_state.get(_BEGUN)
    if pad is None:
        turn = st.session_state[f"{_BEGUN}_turn"] = 1 + st.session_state.get(f"{_BEGUN}_turn", 0)
        start = read_drawing(own.removeprefix(_DRAWN)) if own.startswith(_DRAWN) else None
        pad = st.session_state[_BEGUN] = _Pad(turn=turn, start=start)
    draw_pad(
        _PAD,
        pad.turn,
        pad.start,
        is_example=False,
        on_drawn=lambda: _follow(model, settled=False),
        on_settled=lambda: _follow(model, settled=True),
    )


def _follow(model: Model, *, settled: bool) -> None:
    """Take what the field has sent; an empty one leaves the picture as it is."""
    pad: _Pad | None = st.session_state.get(_BEGUN)
    if pad is None:
        return
    st.session_state.pop(_REFUSED, None)
    try:
        sent = read_pad(st.session_state.get(_PAD), pad.turn)
    except LabError as error:
        st.session_state[_REFUSED] = error
        return
    digit = None if sent is None else like_mnist(sent)
    if digit is not None:
        reference = PictureReference(kind="drawn", source=drawing_text(digit))
        values = {"picture": str(reference)}
        take_told(model, kept=values if settled else {}, live={} if settled else values)


SOURCES: dict[str, tuple[str, Callable[[Model, str], None]]] = {
    "file": ("File", _upload),
    "paste": ("Paste", _paste),
    "draw": ("Draw", _draw),
    "camera": ("Camera", _photograph),
}
"""What each way is called, and what draws it."""

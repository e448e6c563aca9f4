"""Pictures that a person gives to the Inspector: a file, the clipboard, the camera, or an example that comes along."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import streamlit as st

from cnncore.errors import DataError, LabError
from cnncore.images.decode import EXTENSIONS
from cnncore.images.kept_pictures import keep_picture, kept_picture
from cnncore.images.limits import limits
from cnncore.images.picture_reference import PictureReference, parse_picture
from cnncore.lessons.pictures import photograph_file
from pages.components.inspector_link import Look, change_link
from pages.components.inspector_picture_drawn import forget_drawing
from pages.components.lab import artifacts, show_problem
from pages.components.transfer_use_paste import paste_box

_ENDINGS = sorted(ending.removeprefix(".") for ending in EXTENSIONS)
_TAKEN, _REFUSED = "inspector_taken", "inspector_refused"

EXAMPLE_WORDS = "Example: the Summer Palace in Beijing, photographed by danielbuechele (CC BY 2.0, from scikit-learn)."


@st.cache_data(show_spinner=False)
def _kept_example(folder: str) -> str:
    path = photograph_file("china")
    return keep_picture(Path(folder), path.read_bytes(), "the example") if path else ""


def example_picture() -> str:
    """The reference of a photograph to begin with; empty where there is none."""
    try:
        name = _kept_example(str(artifacts()))
        if name:
            kept_picture(artifacts(), name)
    except DataError:  # it was tidied away, or the disk is full
        _kept_example.clear()
        try:
            name = _kept_example(str(artifacts()))
        except LabError:
            name = ""
    return str(PictureReference(kind="kept", source=name)) if name else ""


def upload_picture(_look: Look, asked: str) -> str:
    """A file; returns the picture's reference."""
    file = st.file_uploader(
        "Picture",
        type=_ENDINGS,
        key="inspector_file",
        label_visibility="collapsed",
        max_upload_size=limits().image_mb,
    )
    return asked if file is None else _taken(asked, f"file {file.file_id}", file.getvalue(), file.name)


def paste_picture(_look: Look, asked: str) -> str:
    """The clipboard; returns the picture's reference."""
    content = paste_box("inspector_paste")
    if content is None:
        return asked
    return _taken(asked, f"paste {hashlib.sha256(content).hexdigest()}", content, "that was pasted")


def photograph(_look: Look, asked: str) -> str:
    """The camera; returns the picture's reference."""
    shot = st.camera_input("Hold it in front of the camera", key="inspector_camera")
    return asked if shot is None else _taken(asked, f"camera {shot.file_id}", shot.getvalue(), "of the camera")


def _taken(asked: str, stamp: str, content: bytes, name: str) -> str:
    """Keep what was given just now; what was taken before does not replace a picture that was chosen since."""
    if st.session_state.get(_TAKEN) == stamp:
        if refused := st.session_state.get(_REFUSED):
            show_problem(refused)
        return asked
    st.session_state[_TAKEN], st.session_state[_REFUSED] = stamp, None
    short = name.replace("\\", "/").rpartition("/")[2][:80] or "picture"
    try:
        reference = str(PictureReference(kind="kept", source=keep_picture(artifacts(), content, short)))
    except LabError as error:
        st.session_state[_REFUSED] = error
        show_problem(error)
        return asked
    forget_drawing()
    change_link(picture=reference)
    return reference


def show_kept(reference: str) -> None:
    """The picture of the link in small, where a person gave it."""
    if not reference or parse_picture(reference).kind != "kept":
        return
    with suppress(DataError):  # what is asked about it says why
        st.image(str(kept_picture(artifacts(), parse_picture(reference).source)), width=160)
    if reference == example_picture():
        st.caption(EXAMPLE_WORDS)

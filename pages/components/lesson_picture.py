"""The picture a lesson is about: one to begin with, or a person's own, which goes along from lesson to lesson."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
import streamlit as st
from PIL import Image
from pydantic import AfterValidator, Field

from cnncore.errors import ConfigError, DataError, LabError
from cnncore.images.decode import EXTENSIONS
from cnncore.images.drawing import read_drawing
from cnncore.images.kept_pictures import keep_picture, kept_picture
from cnncore.images.limits import limits
from cnncore.images.picture_reference import PictureReference, parse_picture
from cnncore.lessons.pictures import SAMPLES, fitted
from pages.components.lab import artifacts, show_problem
from pages.components.lesson_state import LessonState, bound, change_state

_OWN_KINDS = ("kept", "drawn")
_TAKEN, _REFUSED = "learn_taken", "learn_refused"


def _checked(picture: str) -> str:
    """A sample's key, or the reference of a person's own picture.

    Raises:
        ConfigError: where it is neither.
    """
    if picture in SAMPLES:
        return picture
    if parse_picture(picture).kind not in _OWN_KINDS:
        raise ConfigError("picture", "Lessons take no pictures of data sets.", f"Allowed: {', '.join(SAMPLES)}.")
    return picture


PictureName = Annotated[str, AfterValidator(_checked), Field(title="picture")]


class PictureState(LessonState):
    """The state of a lesson about a picture."""

    picture: PictureName = "palace"


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A picture.

    Attributes:
        pixels: uint8 (side, side, C) with C = 3, or 1 for gray.
        reference: As the link has it.
        words: Where it comes from.
    """

    pixels: npt.NDArray[np.uint8]
    reference: str
    words: str

    @property
    def gray(self) -> npt.NDArray[np.uint8]:
        """Its lightness, uint8 (side, side)."""
        if self.pixels.shape[-1] == 1:
            return self.pixels[..., 0]
        return np.asarray(Image.fromarray(self.pixels).convert("L"))


def choose_picture(state: PictureState, side: int) -> Picture:
    """Draw the choice; returns the picture with `side` × `side` pixels.

    Where the link's picture is not kept any more, that is said, and the default is shown.
    """
    model = type(state)
    own = state.picture not in SAMPLES
    with st.container(key="learn_controls_picture", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.pills(
            "Picture",
            [*SAMPLES, *([state.picture] if own else ())],
            required=True,
            format_func=lambda name: SAMPLES[name].title if name in SAMPLES else "Your own",
            **bound(model, "picture", state.picture),
        )
        with st.popover("Your own picture", icon=":material/add_photo_alternate:"):
            _upload(model)
    return load_picture(state.picture, side)


def load_picture(reference: str, side: int) -> Picture:
    """A picture by its reference; what cannot be read is told, and replaced by the default."""
    try:
        if reference in SAMPLES:
            return Picture(pixels=_sample(reference, side), reference=reference, words=SAMPLES[reference].words)
        return Picture(pixels=_own(reference, side), reference=reference, words="Your own picture.")
    except DataError as error:
        show_problem(error)
        return Picture(pixels=_sample("shapes", side), reference="shapes", words=SAMPLES["shapes"].words)


@st.cache_data(show_spinner=False, max_entries=64)
def _sample(key: str, side: int) -> npt.NDArray[np.uint8]:
    return SAMPLES[key].load(side)


def _own(reference: str, side: int) -> npt.NDArray[np.uint8]:
    found = parse_picture(reference)
    if found.kind == "drawn":
        return fitted(Image.fromarray(read_drawing(found.source)), side)
    return _kept(str(kept_picture(artifacts(), found.source)), side)


@st.cache_data(show_spinner=False, max_entries=64)
def _kept(path: str, side: int) -> npt.NDArray[np.uint8]:
    with Image.open(path) as image:
        return fitted(image, side)


def _upload(model: type[PictureState]) -> None:
    file = st.file_uploader(
        "Picture",
        type=sorted(ending.removeprefix(".") for ending in EXTENSIONS),
        key="learn_file",
        label_visibility="collapsed",
        max_upload_size=limits().image_mb,
    )
    if file is None:
        return
    if st.session_state.get(_TAKEN) == file.file_id:
        if refused := st.session_state.get(_REFUSED):
            show_problem(refused)
        return
    st.session_state[_TAKEN], st.session_state[_REFUSED] = file.file_id, None
    short = file.name.replace("\\", "/").rpartition("/")[2][:80] or "picture"
    try:
        kept = keep_picture(artifacts(), file.getvalue(), short)
    except LabError as error:
        st.session_state[_REFUSED] = error
        show_problem(error)
        return
    change_state(model, picture=str(PictureReference(kind="kept", source=kept)))
    st.rerun(scope="fragment")

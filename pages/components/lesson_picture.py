"""The picture a lesson is about: one to begin with, or a person's own, which goes along from lesson to lesson.

How a person gives one stands in `lesson_picture_own`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
import streamlit as st
from PIL import Image
from pydantic import AfterValidator, Field

from cnncore.errors import ConfigError, DataError, LabError
from cnncore.images.drawing import read_drawing
from cnncore.images.kept_pictures import kept_picture
from cnncore.images.picture_reference import parse_picture
from cnncore.lessons.pictures import SAMPLES, fitted
from pages.components.lab import artifacts, show_problem
from pages.components.lesson_picture_own import OPENED, offer_own
from pages.components.lesson_state import LessonState, change_state

_OWN_KINDS = ("kept", "drawn")
_OWN, _OFFERED = "learn_own", "learn_own_offered"
_YOURS = "own"
_TITLES = {key: sample.title for key, sample in SAMPLES.items()} | {_YOURS: "Your own"}


def _checked(picture: str) -> str:
    """A sample's key, or the reference of a person's own picture.

    Raises:
        ConfigError: where it is neither.
        DataError: where the own picture is no whole drawing, or not kept any more.
    """
    if picture in SAMPLES:
        return picture
    found = parse_picture(picture)
    if found.kind not in _OWN_KINDS:
        raise ConfigError("picture", "Lessons take no pictures of data sets.", f"Allowed: {', '.join(SAMPLES)}.")
    if found.kind == "drawn":
        read_drawing(found.source)
    else:
        kept_picture(artifacts(), found.source)
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
    """Draw the choice, with a line that says where the picture comes from; returns it with `side` × `side` pixels.

    A person's own picture stays among the choices while samples are looked at.
    """
    model = type(state)
    own = _last_own(state.picture)
    key = f"learn_{model.__name__}_picture"
    # A choice that came up while one draws would move the field that one draws in.
    is_drawing = bool(st.session_state.get(OPENED)) and not st.session_state.get(_OFFERED)
    st.session_state[_OFFERED] = bool(own) and not is_drawing
    names = list(_TITLES) if st.session_state[_OFFERED] else list(SAMPLES)
    st.session_state[key] = state.picture if state.picture in SAMPLES else _YOURS if _YOURS in names else None

    def chosen() -> None:
        name = st.session_state[key]
        if name in SAMPLES or own:
            change_state(model, picture=name if name in SAMPLES else own)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(
            key="learn_controls_picture", horizontal=True, width="content", vertical_alignment="center", gap="small"
        ):
            st.pills(
                "Picture", names, required=True, format_func=_TITLES.__getitem__, label_visibility="collapsed",
                key=key, on_change=chosen,
            )  # fmt: skip
            offer_own(model, own)
        picture = load_picture(state.picture, side)
        st.caption(picture.words, width="content")
    return picture


def _last_own(picture: str) -> str:
    """Reference of the picture that the person gave last in this session, empty where there is none (any more)."""
    if picture not in SAMPLES:
        st.session_state[_OWN] = picture
    try:
        return _checked(st.session_state[_OWN]) if _OWN in st.session_state else ""
    except LabError:
        del st.session_state[_OWN]
        return ""


def load_picture(reference: str, side: int) -> Picture:
    """A picture by its reference; what cannot be read is told, and replaced by the default."""
    try:
        if reference in SAMPLES:
            return Picture(pixels=_sample(reference, side), reference=reference, words=SAMPLES[reference].words)
        pixels, words = _own(reference, side)
        return Picture(pixels=pixels, reference=reference, words=words)
    except DataError as error:
        show_problem(error)
        return Picture(pixels=_sample("shapes", side), reference="shapes", words=SAMPLES["shapes"].words)


@st.cache_data(show_spinner=False, max_entries=64)
def _sample(key: str, side: int) -> npt.NDArray[np.uint8]:
    return SAMPLES[key].load(side)


def _own(reference: str, side: int) -> tuple[npt.NDArray[np.uint8], str]:
    """Pixels of a person's picture, and what was done to it."""
    found = parse_picture(reference)
    if found.kind == "drawn":
        words = "A digit, scaled and centered as MNIST's are."
        return fitted(Image.fromarray(read_drawing(found.source)), side), words
    pixels, (width, height) = _kept(str(kept_picture(artifacts(), found.source)), side)
    part = "your picture" if width == height else "the middle square of your picture"
    return pixels, f"{part.capitalize()}, made {side} × {side} pixels."


@st.cache_data(show_spinner=False, max_entries=64)
def _kept(path: str, side: int) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    image = Image.fromarray(_decoded(path))
    return fitted(image, side), image.size


@st.cache_data(show_spinner=False, max_entries=4)
def _decoded(path: str) -> npt.NDArray[np.uint8]:
    """Its pixels, uint8 (H, W, 3): a lesson may want a picture in many sizes."""
    with Image.open(path) as image:
        return np.asarray(image)

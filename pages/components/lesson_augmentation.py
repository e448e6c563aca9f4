"""The figure of the lesson on augmentation: one transform at a time, what training draws of it, and what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from cnncore.catalog.augmentations import AUGMENTATIONS
from cnncore.errors import ConfigError
from cnncore.lessons.augmenting import (
    KINDS,
    as_image,
    checked_strength,
    every_place,
    random_draws,
    with_margin,
)
from cnncore.lessons.frames import contact_sheet
from cnncore.lessons.pictures import SAMPLES
from pages.components.lab import show_problem
from pages.components.lesson_augmentation_labels import draw_labels
from pages.components.lesson_augmentation_state import AugmentationState
from pages.components.lesson_board import draw_board
from pages.components.lesson_picture import Picture, choose_picture, load_picture
from pages.components.lesson_state import bound, change_state, choose_view, read_state
from pages.components.waiting import fill_in

SIDE = 100
"""Pixels of the picture: one of them is a percent of it."""
NUM_DRAWS = 12
VIEWS = {"transform": "Change a picture", "label": "Does it change the label?"}
Pixels = npt.NDArray[np.uint8]


def show_augmentation() -> None:
    """Draw the figure; what the digits are taken for is asked of the service."""
    fill_in("lesson_augmentation", _show)


def _show() -> None:
    state = read_state(AugmentationState)
    choose_view(state, VIEWS)
    if state.view == "label":
        draw_labels(state)
    else:
        _draw_transform(state)


def _draw_transform(state: AugmentationState) -> None:
    picture = choose_picture(state, SIDE)
    with st.container(key="learn_controls_augmentation"):
        st.pills(
            "Transform",
            list(KINDS),
            required=True,
            format_func=lambda key: AUGMENTATIONS[key].title,
            # A strength counts in the unit of one transform.
            **bound(
                AugmentationState,
                "kind",
                state.kind,
                then=lambda: change_state(AugmentationState, strength=None),
            ),
        )
    other = other_picture(picture)
    # Each board gets only what it shows, so that what one tells does not send the other's pictures again.
    still = state.model_copy(update={"strength": None, "seed": 0})
    draw_board("augmentation", still, *transform_board(state.kind, picture, other))
    try:
        strength = checked_strength(state.kind, state.strength)
    except ConfigError as error:
        show_problem(error)
        return
    drawn = AugmentationState(kind=state.kind, strength=strength, seed=state.seed)
    draw_board("augmentation_draws", drawn, *draws_board(drawn, picture, other))


def other_picture(picture: Picture) -> Picture:
    """The picture that is blended in: in gray for a gray one."""
    gray = picture.pixels.shape[-1] == 1
    keys = ("digit", "shapes") if gray else ("flower", "palace")
    return load_picture(keys[picture.reference == keys[0]], SIDE)


def transform_board(key: str, picture: Picture, other: Picture) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the upper board shows: every place of every dial."""
    kind, spec = KINDS[key], AUGMENTATIONS[key]
    data: dict[str, Any] = {
        "kind": key,
        "dials": [
            {
                "name": dial.name,
                "title": dial.title,
                "low": dial.low,
                "high": dial.high,
                "step": dial.step,
                "words": [dial.say(place) for place in dial.places],
            }
            for dial in kind.dials
        ],
        "moves": kind.moves,
        "labels": [_called(picture), _called(other)] if spec.mixes else [],
        "smooth": picture.pixels.shape[-1] == 3,
    }
    arrays: dict[str, np.ndarray] = {"original": picture.pixels}
    if kind.moves:
        data["margin"] = kind.dials[0].high
        arrays["wide"] = with_margin(as_image(picture.pixels), kind.dials[0].high)
    else:
        arrays["sheet"], data["columns"], data["shares"] = _sheet(key, picture.pixels, other.pixels)
    if spec.mixes:
        arrays["other"] = other.pixels
    return data, arrays


def draws_board(
    state: AugmentationState, picture: Picture, other: Picture
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the lower board shows: random draws at one strength."""
    kind, spec = KINDS[state.kind], AUGMENTATIONS[state.kind]
    assert state.strength is not None
    sheet, columns, shares = _draws(state.kind, picture.pixels, other.pixels, state.strength, state.seed)
    steps = round(spec.maximum / spec.step)
    data = {
        "kind": state.kind,
        "summary": spec.summary + (f" {spec.source}." if spec.source else ""),
        "maximum": spec.maximum,
        "step": spec.step,
        "words": ["off", *(kind.strength(round(place * spec.step, 6)) for place in range(1, steps + 1))],
        "columns": columns,
        "num": NUM_DRAWS,
        "side": SIDE,
        "says": [f"{100 * share:.0f} %" for share in shares] if spec.mixes else [],
        "label": _called(picture),
        "smooth": picture.pixels.shape[-1] == 3,
    }
    return data, {"sheet": sheet}


def _called(picture: Picture) -> str:
    return SAMPLES[picture.reference].title.lower() if picture.reference in SAMPLES else "your picture"


@st.cache_data(show_spinner=False, max_entries=16)
def _sheet(key: str, pixels: Pixels, other: Pixels) -> tuple[Pixels, int, list[float]]:
    frames, shares = every_place(key, as_image(pixels), as_image(other))
    return *contact_sheet(frames), shares


@st.cache_data(show_spinner=False, max_entries=64)
def _draws(key: str, pixels: Pixels, other: Pixels, strength: float, seed: int) -> tuple[Pixels, int, list[float]]:
    frames, shares = random_draws(key, as_image(pixels), as_image(other), strength, seed=seed, num=NUM_DRAWS)
    return *contact_sheet(frames), shares

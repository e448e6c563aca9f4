"""When an augmentation changes the label: changed digits, a judge who is no person, and a table for other images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from cnncore.answers import Answer
from cnncore.catalog.augmentations import AUGMENTATIONS
from cnncore.lessons.augmenting import DIALS
from cnncore.lessons.labels import KEPT_LABELS
from pages.components.lab import show_problem
from pages.components.lesson_augmentation_state import AugmentationState
from pages.components.lesson_board import draw_board
from pages.components.lesson_state import bound
from pages.components.waiting import inquire

CHANGES: dict[str, tuple[str, range]] = {
    "rotation": ("degrees", range(-180, 181, 15)),
    "flip_horizontal": ("mirror", range(2)),
    "flip_vertical": ("flip", range(2)),
    "translation": ("right", range(-50, 51, 5)),
    "zoom": ("zoom", range(50, 151, 10)),
}
"""By augmentation, the dial and the places at which digits are measured."""
AT_ONCE = 5
"""Places in one question, which takes about half a second."""


def draw_labels(state: AugmentationState) -> None:
    """Draw the digits, what they are taken for, and the table; call it inside `fill_in`."""
    with st.container(key="learn_controls_augmentation_change"):
        st.pills(
            "Change of the digits",
            list(CHANGES),
            required=True,
            format_func=lambda key: AUGMENTATIONS[key].title,
            **bound(AugmentationState, "change", state.change),
        )
    with st.container(key="learn_augmentation_digits"):
        _draw_digits(state)
    with st.expander("Which changes keep the label of which images?"):
        rows = [f"| **{row.images}** | {row.keeps} | {row.changes} |" for row in KEPT_LABELS]
        st.markdown("\n".join(["| Images | Keep the label | May change it |", "|---|---|---|", *rows]))


def _draw_digits(state: AugmentationState) -> None:
    dial, places = CHANGES[state.change]
    parts = [places[start : start + AT_ONCE] for start in range(0, len(places), AT_ONCE)]
    replies = [
        inquire(
            f"lesson_digits_{number}",
            "changed_digits",
            {"change": state.change, "dial": dial, "places": list(part)},
        )
        for number, part in enumerate(parts)
    ]
    for reply in replies:
        if reply.error is not None:
            show_problem(reply.error)
            return
    answers = [reply.answer for reply in replies if reply.answer is not None and not reply.pending]
    if len(answers) < len(parts):
        with st.container(height=640, border=False):
            st.progress(len(answers) / len(parts), "Changing 500 digits and looking for the most similar of 3,500 …")
        return
    draw_board("augmentation_labels", state, *labels_board(state, answers))


def labels_board(state: AugmentationState, answers: list[Answer]) -> tuple[dict[str, Any], Mapping[str, np.ndarray]]:
    """What the board shows: at every place, a digit of each class and what all of its class are taken for."""
    name, places = CHANGES[state.change]
    dial = DIALS[name]
    data = {
        "change": state.change,
        "dial": name,
        "title": dial.title,
        "places": list(places),
        "words": [dial.say(place) for place in places],
        "known": answers[0].data["num_known"],
    }
    counts = np.concatenate([answer.arrays["counts"] for answer in answers]).astype(np.int32)
    return data, {
        "counts": counts,
        "examples": np.concatenate([answer.arrays["examples"] for answer in answers])[..., None],
    }

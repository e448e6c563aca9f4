"""Changes of an image set from the page: made at once, explained when refused, and named on the undo button."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import streamlit as st

from cnncore.errors import DataError, LabError
from cnncore.images.edits import Change, Undo
from cnncore.images.image_set import ImageSet
from cnncore.images.store import KEPT_DELETED_S, ImageSets, open_sets
from pages.components.lab import data_root, show_problem
from pages.components.transfer_images_words import number_of
from pages.components.transfer_link import change_link

_PROBLEM = "transfer_images_problem"
_TURN = "transfer_images_turn"


def image_sets() -> ImageSets:
    """The image sets of this lab."""
    return open_sets(data_root())


def turn() -> int:
    """Counts the changes of this session; a selection ends with its turn."""
    return st.session_state.get(_TURN, 0)


def next_turn() -> None:
    """End the selection."""
    st.session_state[_TURN] = turn() + 1


def change(set_id: str, *makes: Callable[[], Change]) -> None:
    """Callback: make edits and apply them as one; where one is refused nothing is changed and the page says why.

    Args:
        set_id: The set.
        makes: What gives each edit; it may refuse by itself.
    """
    try:
        image_sets().apply(set_id, *(make() for make in makes))
    except LabError as error:
        st.session_state[_PROBLEM] = error
        return
    next_turn()


def return_to(set_id: str, seen: int, version: int) -> None:
    """Callback: make the set what it was at a version; undoes and does again.

    Args:
        set_id: The set.
        seen: The version that the page shows; what somebody else has changed since is not taken back with it.
        version: Where to return.
    """

    def edits_for(current: ImageSet) -> Sequence[Undo]:
        if current.version != seen:
            raise DataError(
                "Somebody else has changed this set meanwhile, so nothing was taken back.",
                "Look at it as it is now, then decide.",
            )
        return (Undo(to=version),)

    try:
        image_sets().change(set_id, edits_for)
    except LabError as error:
        st.session_state[_PROBLEM] = error
    next_turn()


def change_name(set_id: str, key: str = "transfer_images_new_name") -> None:
    """Callback: give the set the name that stands in the input `key`."""
    try:
        image_sets().rename(set_id, str(st.session_state.get(key, "")))
    except LabError as error:
        st.session_state[_PROBLEM] = error


def delete_set(set_id: str) -> None:
    """Callback: take the set off the list; it can be restored."""
    try:
        image_sets().delete(set_id)
    except LabError as error:
        st.session_state[_PROBLEM] = error
        return
    change_link(set="")


def restore_set(set_id: str) -> None:
    """Callback: restore a deleted set."""
    try:
        image_sets().restore(set_id)
    except LabError as error:
        st.session_state[_PROBLEM] = error


def kept_words(set_id: str) -> str:
    """How long a deleted set can still be restored."""
    deleted = image_sets().card(set_id).deleted or 0.0
    days = math.ceil((deleted + KEPT_DELETED_S - time.time()) / 86_400)
    return f"Its files go in {number_of(days, 'day')}." if days > 0 else "Its files go soon."


def note_problem(error: LabError) -> None:
    """Have the page say this in its next run."""
    st.session_state[_PROBLEM] = error


def show_last_problem() -> None:
    """Why the last change was refused, if it was."""
    problem = st.session_state.pop(_PROBLEM, None)
    if problem is not None:
        show_problem(problem)

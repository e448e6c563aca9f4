"""Changes of an image set from the page: made at once, explained when refused, and named on the undo button."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cnncore.errors import LabError
from cnncore.images.edits import Change
from cnncore.images.store import ImageSets, open_sets
from pages.components.lab import data_root, show_problem
from pages.components.transfer_link import change_link

_PROBLEM = "transfer_images_problem"
_TURN = "transfer_images_turn"
_DELETED = "transfer_images_deleted"


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


def return_to(set_id: str, version: int) -> None:
    """Callback: make the set what it was at a version; undoes and does again."""
    try:
        image_sets().undo(set_id, version)
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
    st.session_state[_DELETED] = set_id
    change_link(set="")


def restore_set(set_id: str) -> None:
    """Callback: restore a deleted set."""
    try:
        image_sets().restore(set_id)
    except LabError as error:
        st.session_state[_PROBLEM] = error
    st.session_state.pop(_DELETED, None)


def just_deleted() -> str:
    """Id of the set that was deleted last in this session, as long as it is."""
    return st.session_state.get(_DELETED, "")


def note_problem(error: LabError) -> None:
    """Have the page say this in its next run."""
    st.session_state[_PROBLEM] = error


def show_last_problem() -> None:
    """Why the last change was refused, if it was."""
    problem = st.session_state.pop(_PROBLEM, None)
    if problem is not None:
        show_problem(problem)

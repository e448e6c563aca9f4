"""What can be done with the classes of an image set: add, rename, merge, remove."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cnncore.errors import DataError
from cnncore.images.edits import AddClass, Change, MergeClasses, RemoveClass, RenameClass
from cnncore.images.image_set import ImageSet
from pages.components.transfer_images_edits import change, turn

_ACTION = "transfer_images_class_action"


def draw_classes(image_set: ImageSet) -> None:
    """A choice of what to do with the classes, and the form for it."""
    names = [name for name in _ACTIONS if len(image_set.classes) >= _LEAST[name]]
    if st.session_state.get(_ACTION) not in names:
        st.session_state[_ACTION] = None
    chosen = st.pills("Change the classes", names, key=_ACTION, label_visibility="collapsed")
    if chosen:
        # A change gives the form another key, so that it is drawn empty.
        with st.form(f"transfer_images_class_{chosen}_{turn()}", enter_to_submit=True):
            _ACTIONS[chosen](image_set)


def _add(image_set: ImageSet) -> None:
    st.text_input("Name of the new class", key=_key("add"), max_chars=300)
    _submit("Add the class", image_set, lambda: AddClass(name=_given("add")))


def _rename(image_set: ImageSet) -> None:
    st.selectbox("Class", image_set.classes, key=_key("old"))
    st.text_input("New name", key=_key("new"), max_chars=300)
    _submit("Rename", image_set, lambda: RenameClass(old=_given("old"), new=_given("new")))


def _merge(image_set: ImageSet) -> None:
    st.multiselect("Classes that become one", image_set.classes, key=_key("merged"))
    st.text_input("Name of the merged class", key=_key("into"), max_chars=300, placeholder="the first one's name")
    _submit("Merge", image_set, _merging)


def _merging() -> MergeClasses:
    names = st.session_state[_key("merged")]
    if not names:
        raise DataError("No classes were chosen.", "Choose at least two that become one.")
    return MergeClasses(names=tuple(names), into=_given("into") or names[0])


def _remove(image_set: ImageSet) -> None:
    st.selectbox("Class", image_set.classes, key=_key("removed"))
    st.caption(
        "Its images are excluded, not deleted: moving them to another class and restoring them brings them back."
    )
    _submit("Remove the class", image_set, lambda: RemoveClass(name=_given("removed")))


_ACTIONS: dict[str, Callable[[ImageSet], None]] = {
    "Add a class": _add,
    "Rename": _rename,
    "Merge": _merge,
    "Remove": _remove,
}
_LEAST = {"Add a class": 0, "Rename": 1, "Merge": 2, "Remove": 1}
"""Classes there must be."""


def _key(name: str) -> str:
    return f"transfer_images_class_{name}_{turn()}"


def _given(name: str) -> str:
    return st.session_state[_key(name)] or ""


def _submit(label: str, image_set: ImageSet, make: Callable[[], Change]) -> None:
    st.form_submit_button(label, on_click=_apply, args=(image_set.id, make))


def _apply(set_id: str, make: Callable[[], Change]) -> None:
    before = turn()
    change(set_id, make)
    if turn() != before:
        st.session_state[_ACTION] = None

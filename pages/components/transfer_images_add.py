"""The ways pictures come in: a folder, files of one class, a ZIP, the camera, a folder on the lab's machine.

A process of its own takes over what has come in: closing the page then loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from cnncore.errors import LabError
from cnncore.images.image_set import ImageSet
from cnncore.images.intake import Incoming, start_intake
from cnncore.images.limits import limits
from pages.components.transfer_images_edits import image_sets, next_turn, note_problem, turn
from pages.components.transfer_images_upload import draw_upload
from pages.components.transfer_link import change_link

_WAY = "transfer_images_way"
_CAMERA = "camera"
MORE = "transfer_images_more"
"""Key of the fold that holds the ways in once a set has images."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way in; `draw` shows its inputs and, once there is something, the button that adds it."""

    title: str
    icon: str
    draw: Callable[[ImageSet | None], None]


def draw_add(image_set: ImageSet | None) -> None:
    """The ways in, for a set or for one that is made with the first pictures."""
    ways = {key: way for key, way in _WAYS.items() if image_set is not None or key != _CAMERA}
    if st.session_state.get(_WAY) not in ways:
        st.session_state[_WAY] = next(iter(ways))
    chosen = st.segmented_control(
        "From", list(ways), required=True, key=_WAY, label_visibility="collapsed",
        format_func=lambda key: f"{ways[key].icon} {ways[key].title}",
    )  # fmt: skip
    ways[chosen or next(iter(ways))].draw(image_set)


def use_camera() -> None:
    """Callback: an empty set, with the camera ready."""
    st.session_state[_WAY] = _CAMERA
    try:
        change_link(set=image_sets().create("Camera pictures").id)
    except LabError as error:
        note_problem(error)


def _draw_folder(image_set: ImageSet | None) -> None:
    st.caption(f"One folder for each class, inside the folder you choose. {_limits_text()}")
    draw_upload(image_set, "folder")


def _draw_files(image_set: ImageSet | None) -> None:
    st.caption(f"Any number of pictures that show the same kind of thing. {_limits_text()}")
    draw_upload(image_set, "files", _class_input(image_set, "files"))


def _draw_zip(image_set: ImageSet | None) -> None:
    st.caption(f"A ZIP with one folder for each class. {_limits_text()}")
    draw_upload(image_set, "zip")


def _draw_path(image_set: ImageSet | None) -> None:
    st.caption(
        "For more than a browser should send. One folder for each class, or train/, val/ and test/ above them; the "
        "pictures are copied."
    )
    path = st.text_input(
        "Folder or ZIP on the machine that runs the lab", key=_key("path", image_set), placeholder="/path/to/pictures"
    )
    st.button(
        "Add these", key=_key("path_add", image_set), icon=":material/add:", disabled=not path.strip(),
        on_click=_start_path, args=(image_set and image_set.id, path.strip()),
    )  # fmt: skip


def _draw_camera(image_set: ImageSet | None) -> None:
    assert image_set is not None
    label = _class_input(image_set, _CAMERA)
    shot = st.camera_input("Take a picture", key=_key("shot", image_set), disabled=not label, width=440)
    if not label:
        st.caption("Give the class a name, then take pictures of it.")
    if shot is not None:
        incoming = Incoming(name="Camera.jpg", label=label, size=shot.size, content=shot)
        st.button(
            "Add this picture", key="transfer_images_add_camera", icon=":material/add:", disabled=not label,
            on_click=_start_shot, args=(image_set.id, incoming),
        )  # fmt: skip


def _start_shot(set_id: str, incoming: Incoming) -> None:
    """Callback: take a picture over and be ready for the next one of its class."""
    _start(set_id, "", incoming)
    st.session_state[MORE] = True
    st.session_state[f"{_class_key(set_id, _CAMERA)}_choice"] = incoming.label


_WAYS = {
    "folder": Way(title="Folder", icon=":material/folder:", draw=_draw_folder),
    "files": Way(title="Files", icon=":material/image:", draw=_draw_files),
    "zip": Way(title="ZIP", icon=":material/folder_zip:", draw=_draw_zip),
    _CAMERA: Way(title="Camera", icon=":material/photo_camera:", draw=_draw_camera),
    "path": Way(title="By path", icon=":material/dns:", draw=_draw_path),
}


def _key(name: str, image_set: ImageSet | None) -> str:
    """Key of an input that is drawn empty after each change, which also frees what the browser had sent."""
    return f"transfer_images_{name}_{image_set.id if image_set else 'new'}_{turn()}"


def _limits_text() -> str:
    most = limits()
    return (
        f"Up to {most.set_images:,} pictures a set, {most.image_mb:,} MB and {most.megapixels:,} megapixels each, "
        f"{most.upload_mb:,} MB at once; JPEG, PNG, WebP and others."
    )


def _class_key(set_id: str, name: str) -> str:
    return f"transfer_images_{name}_label_{set_id}"


def _class_input(image_set: ImageSet | None, name: str) -> str:
    key = _class_key(image_set.id if image_set else "new", name)
    if image_set is None or not image_set.classes:
        return st.text_input("Class", key=key, placeholder="What the pictures show", max_chars=300).strip()
    label = st.selectbox(
        "Class", image_set.classes, index=None, key=f"{key}_choice", accept_new_options=True,
        placeholder="Choose one, or type a new name",
    )  # fmt: skip
    return (label or "").strip()


def _start_path(set_id: str | None, path: str) -> None:
    """Callback: take over a folder or a ZIP of this machine."""
    place = Path(path)  # a ~ before it is the intake's business, as whether there is such a person
    _start(set_id, place.stem[:80] or "My pictures", Incoming(name=place.name, content=place))


def _start(set_id: str | None, name: str, incoming: Incoming) -> None:
    """Let the intake take something over, and go to the set; a new one is called `name`."""
    sets, target = image_sets(), set_id
    try:
        target = set_id or sets.create(name).id
        start_intake(sets, target, [incoming])
    except LabError as error:
        note_problem(error)
        if set_id is None and target is not None:
            sets.delete(target)
        return
    next_turn()
    change_link(set=target)

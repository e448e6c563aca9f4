"""The ways pictures come in: a folder, files of one class, a ZIP, the camera, a folder on the lab's machine.

What the browser sent is counted here again, since Streamlit checks neither number nor sum, then staged on disk, from
where a process of its own takes it over: closing the page loses nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cnncore.errors import LabError
from cnncore.images.image_set import ImageSet
from cnncore.images.intake import Incoming, start_intake
from cnncore.images.limits import limits
from pages.components.lab import show_problem
from pages.components.transfer_images_edits import image_sets, next_turn, note_problem, turn
from pages.components.transfer_images_words import listed, number_of
from pages.components.transfer_link import change_link
from pages.components.wording import bytes_text, plain

_WAY = "transfer_images_way"
_CAMERA = "camera"
_MANY = 50
"""Pictures from which staging shows how far it is."""


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
    files = _uploader("A folder of folders", "directory", image_set)
    if not files:
        return
    classes = Counter(_parent(file.name) for file in files)
    named = [f"{name} ({count:,})" for name, count in classes.most_common()]
    st.caption(f"{number_of(len(classes), 'class', 'classes')}: {plain(listed(named, 6))}")
    incoming = (Incoming(name=file.name, size=file.size, content=file) for file in files)
    _offer(image_set, files, incoming, _top(files[0].name))


def _draw_files(image_set: ImageSet | None) -> None:
    st.caption(f"Any number of pictures that show the same kind of thing. {_limits_text()}")
    label = _class_input(image_set, "files")
    files = _uploader("Pictures of this class", True, image_set)
    if not files:
        return
    incoming = (Incoming(name=file.name, label=label, size=file.size, content=file) for file in files)
    _offer(image_set, files, incoming, "My pictures", why_not="" if label else "Give the class a name first.")


def _draw_zip(image_set: ImageSet | None) -> None:
    st.caption(f"A ZIP with one folder for each class. {_limits_text()}")
    files = _uploader("A ZIP file", False, image_set, ("zip",))
    if files:
        incoming = (Incoming(name=file.name, size=file.size, content=file) for file in files)
        _offer(image_set, files, incoming, _stem(files[0].name), what="archive")


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
    label = _class_input(image_set, _CAMERA)
    shot = st.camera_input("Take a picture", key=_key("shot", image_set), disabled=not label)
    if not label:
        st.caption("Give the class a name, then take pictures of it.")
    if shot is not None:
        incoming = iter([Incoming(name="Camera.jpg", label=label, size=shot.size, content=shot)])
        _offer(image_set, [shot], incoming, "Camera pictures")


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


def _uploader(
    label: str, multiple: bool | Literal["directory"], image_set: ImageSet | None, kinds: Sequence[str] | None = None
) -> list[UploadedFile]:
    files = st.file_uploader(
        label, type=kinds, accept_multiple_files=multiple, key=_key(f"upload_{multiple}", image_set)
    )
    return files if isinstance(files, list) else [files] if files else []


def _class_input(image_set: ImageSet | None, name: str) -> str:
    key = f"transfer_images_{name}_label_{image_set.id if image_set else 'new'}"
    if image_set is None or not image_set.classes:
        return st.text_input("Class", key=key, placeholder="What the pictures show", max_chars=300).strip()
    label = st.selectbox(
        "Class", image_set.classes, index=None, key=f"{key}_choice", accept_new_options=True,
        placeholder="Choose one, or type a new name",
    )  # fmt: skip
    return (label or "").strip()


def _offer(
    image_set: ImageSet | None,
    files: Sequence[UploadedFile],
    incoming: Iterator[Incoming],
    name: str,
    *,
    what: str = "picture",
    why_not: str = "",
) -> None:
    """What came, and the button that adds it."""
    num_bytes = sum(file.size for file in files)
    problem = why_not or _too_much(image_set, len(files) if what == "picture" else 0, num_bytes)
    if problem:
        st.caption(f":orange[:material/warning:] {plain(problem)}")
    pressed = st.button(
        f"Add {number_of(len(files), what)} ({bytes_text(num_bytes)})",
        key=_key("add", image_set),
        type="secondary" if image_set and image_set.images else "primary",
        icon=":material/add:",
        disabled=bool(problem),
    )
    if pressed and not problem:
        _stage(image_set and image_set.id, incoming, len(files), name)


def _too_much(image_set: ImageSet | None, count: int, num_bytes: int) -> str:
    most = limits()
    if num_bytes > most.upload_bytes:
        return (
            f"These are {bytes_text(num_bytes)}; a browser may send {most.upload_mb:,} MB at once. Add them in parts, "
            "or give a folder or ZIP on the lab's machine."
        )
    there = len(image_set.images) if image_set else 0
    if there + count > most.set_images:
        return (
            f"The set would have {there + count:,} pictures; {most.set_images:,} are allowed. Choose fewer, or make "
            "a second set."
        )
    return ""


def _stage(set_id: str | None, incoming: Iterator[Incoming], count: int, name: str) -> None:
    """Hand the files over to the intake, and go to the set."""
    sets = image_sets()
    target = set_id or sets.create(name).id
    try:
        start_intake(sets, target, _counted(incoming, count))
    except LabError as error:
        show_problem(error)
        _drop(target, set_id)
        return
    next_turn()
    change_link(set=target)
    st.rerun()


def _drop(target: str, set_id: str | None) -> None:
    """Delete a set that was made for pictures which then could not come in."""
    if set_id is None:
        image_sets().delete(target)


def _counted(incoming: Iterator[Incoming], count: int) -> Iterator[Incoming]:
    if count < _MANY:
        yield from incoming
        return
    bar = st.progress(0.0, text="Storing what was sent")
    for number, each in enumerate(incoming):
        if number % _MANY == 0:
            bar.progress(number / count, text=f"Storing what was sent: {number:,} of {count:,}")
        yield each
    bar.progress(1.0, text="Stored")


def _start_path(set_id: str | None, path: str) -> None:
    """Callback: take over a folder or a ZIP of this machine."""
    sets = image_sets()
    target = set_id or sets.create(_stem(path)).id
    try:
        start_intake(sets, target, [Incoming(name=Path(path).name, content=Path(path))])
    except LabError as error:
        note_problem(error)
        _drop(target, set_id)
        return
    next_turn()
    change_link(set=target)


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name.replace("\\", "/")).parts


def _parent(name: str) -> str:
    parts = _parts(name)
    return parts[-2] if len(parts) > 1 else "without a folder"


def _top(name: str) -> str:
    return _parts(name)[0][:80] if len(_parts(name)) > 1 else "My pictures"


def _stem(name: str) -> str:
    return (PurePosixPath(name.replace("\\", "/")).stem or "My pictures")[:80]

"""What a browser sends: what was chosen, whether it may come in, how far it is, and the intake that takes it over.

Limits are counted here before anything is sent and again while it comes, since a browser can say anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import streamlit as st

from cnncore.errors import LabError
from cnncore.images.class_names import check_distinct, clean_class_name
from cnncore.images.image_set import ImageSet
from cnncore.images.limits import MAX_CLASSES, limits
from cnncore.images.reception import Reception
from pages.components.lab import show_problem, shown_errors
from pages.components.transfer_images_edits import image_sets, next_turn, note_problem, show_last_problem, turn
from pages.components.transfer_images_sender import Chosen, Kind, Sending, draw_sender, receive
from pages.components.transfer_images_words import listed, number_of, short
from pages.components.transfer_link import change_link
from pages.components.wording import bytes_text, plain

_SENDING = "transfer_images_sending"
_MOST_CLASSES = 6


def draw_upload(image_set: ImageSet | None, kind: Kind, label: str | None = None) -> None:
    """Choose, offer, send; only this part of the page is drawn again meanwhile.

    Args:
        image_set: Where the pictures go; a new set if there is none.
        kind: What is chosen.
        label: Their class; empty while the person has not named it; None: the folder of each.
    """
    _drawn(image_set, kind, label)


@st.fragment
def _drawn(image_set: ImageSet | None, kind: Kind, label: str | None) -> None:
    with shown_errors():
        key = f"transfer_sender_{kind}_{image_set.id if image_set else 'new'}_{turn()}"
        show_last_problem()
        sending = _go_on(key, image_set and image_set.id)
        chosen = draw_sender(kind, key, sending)
        if sending is not None and (chosen is None or chosen.id == sending.chosen.id):
            _draw_sending(sending)
        elif chosen is not None:
            _draw_offer(image_set, kind, key, label, chosen)


def _go_on(key: str, set_id: str | None) -> Sending | None:
    """The upload that is on, after it has taken what came with this run; when all has come, the set is shown."""
    sending: Sending | None = st.session_state.get(_SENDING)
    if sending is None or sending.key != key:
        return None
    try:
        receive(sending)
        if sending.done:
            _hand_over(sending, set_id)
    except LabError as error:
        _give_up()
        show_problem(error)
        return None
    return sending


def _hand_over(sending: Sending, set_id: str | None) -> None:
    """Let the intake take over, and go to the set."""
    sets = image_sets()
    target = set_id or sets.create(sending.name).id
    try:
        sending.reception.hand_over(target, sending.label)
    except LabError:
        if set_id is None:
            sets.delete(target)
        raise
    st.session_state.pop(_SENDING)
    next_turn()
    change_link(set=target)
    st.rerun()


def _give_up() -> None:
    """Callback: forget the upload that is on."""
    sending: Sending | None = st.session_state.pop(_SENDING, None)
    if sending is not None:
        sending.reception.drop()


def _draw_sending(sending: Sending) -> None:
    chosen, reception = sending.chosen, sending.reception
    share = min(1.0, reception.num_bytes / max(1, chosen.num_bytes))
    come = f"{min(reception.num_files, chosen.num_files):,} of {number_of(chosen.num_files, 'file')}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share, text=f"Sending: {come}")
        st.button("Cancel", key="transfer_images_give_up", icon=":material/close:", type="tertiary", on_click=_give_up)


def _draw_offer(image_set: ImageSet | None, kind: Kind, key: str, label: str | None, chosen: Chosen) -> None:
    """What was chosen, and the button that adds it."""
    if kind == "folder":
        st.caption(plain(_classes_text(chosen)))
    problem = _why_not(kind, label, chosen) or impossible_class(image_set, label) or too_much(image_set, kind, chosen)
    if problem:
        st.caption(f":orange[:material/warning:] {plain(problem)}")
    what = "archive" if kind == "zip" else "picture"
    st.button(
        f"Add {number_of(chosen.num_files, what)} ({bytes_text(chosen.num_bytes)})",
        key=f"transfer_images_add_{kind}",
        type="secondary" if image_set and image_set.images else "primary",
        icon=":material/add:",
        disabled=bool(problem),
        on_click=_start,
        args=(key, chosen, label, _name(kind, chosen)),
    )


def _why_not(kind: Kind, label: str | None, chosen: Chosen) -> str:
    """What is missing before it can come in; empty if nothing is."""
    if label == "":
        return "Give the class a name first."
    if kind == "folder" and [name for name, _ in chosen.folders] == [""]:
        return "These files lie in no folder, so their class is not known. Choose Files to give them one."
    return ""


def _start(key: str, chosen: Chosen, label: str | None, name: str) -> None:
    """Callback: begin to take what was chosen."""
    _give_up()
    try:
        sending = Sending(key=key, chosen=chosen, label=label, name=name, reception=Reception(image_sets()))
    except (LabError, OSError) as error:
        note_problem(error if isinstance(error, LabError) else LabError("What is sent cannot be stored.", str(error)))
        return
    st.session_state[_SENDING] = sending


def impossible_class(image_set: ImageSet | None, label: str | None) -> str:
    """Why pictures cannot be of this class; empty where they can. Told before anything is sent, not after."""
    if label is None:
        return ""
    classes = image_set.classes if image_set else ()
    try:
        name = clean_class_name(label)
        if name not in classes:
            check_distinct(name, classes)
    except LabError as error:
        return str(error)
    return ""


def too_much(image_set: ImageSet | None, kind: Kind, chosen: Chosen) -> str:
    """Why so much cannot come in, and what to do; empty where it can."""
    most = limits()
    if chosen.num_bytes > most.upload_bytes:
        return (
            f"These are {bytes_text(chosen.num_bytes)}; a browser may send {most.upload_mb:,} MB at once. Add them in "
            "parts, or give a folder or ZIP on the lab's machine."
        )
    num_images = (len(image_set.images) if image_set else 0) + (chosen.num_files if kind != "zip" else 0)
    if num_images > most.set_images:
        return (
            f"The set would have {num_images:,} pictures; {most.set_images:,} are allowed. Choose fewer, or make a "
            "second set."
        )
    if kind == "folder" and chosen.num_folders > MAX_CLASSES:
        return (
            f"These folders would be {chosen.num_folders:,} classes; a set has at most {MAX_CLASSES:,}. Choose "
            "a folder with fewer folders in it."
        )
    return ""


def _classes_text(chosen: Chosen) -> str:
    named: Sequence[str] = [f"{short(name)} ({count:,})" if name else f"no folder ({count:,})"
                            for name, count in chosen.folders[:_MOST_CLASSES]]  # fmt: skip
    more = chosen.num_folders - len(named)
    text = listed(named, len(named)) + (f" and {more:,} more" if more > 0 else "")
    return f"{number_of(chosen.num_folders, 'class', 'classes')}: {text}"


def _name(kind: Kind, chosen: Chosen) -> str:
    """What a new set is called: like the folder or the ZIP."""
    parts = PurePosixPath(chosen.first).parts
    if kind == "folder" and len(parts) > 1:
        return parts[0][:80]
    return PurePosixPath(chosen.first).stem[:80] if kind == "zip" else "My pictures"

"""Where image sets begin: a sample set, one's own pictures, the camera; below them the sets that are there."""

from __future__ import annotations

import html
import time

import streamlit as st

from cnncore.catalog.sample_sets import sample_sets_at_hand
from cnncore.errors import LabError
from cnncore.images.image_set import ImageRecord, ImageSet
from cnncore.images.store import KEPT_DELETED_S
from pages.components import waiting
from pages.components.clicks import clicked
from pages.components.lab import data_root, show_problem
from pages.components.transfer_images_add import draw_add, use_camera
from pages.components.transfer_images_edits import (
    change_name,
    delete_set,
    image_sets,
    kept_words,
    restore_set,
    show_last_problem,
)
from pages.components.transfer_images_gallery import image_source
from pages.components.transfer_images_words import counts_text
from pages.components.transfer_link import change_link
from pages.components.wording import plain

_MOST_SETS = 12
_IN_STRIP = 6
_EVERY = "transfer_images_every_set"
_PATIENCE_S = 50.0


def show_start() -> None:
    """The ways to a new set, then the existing sets, newest first."""
    st.markdown(
        "Two or more kinds of thing, ten or more pictures of each: that is enough to begin. Everything stays on the "
        "machine that runs the lab."
    )
    show_last_problem()
    with st.grid(3, min_column_width=280, gap="small"):
        with st.container(border=True, height="stretch"):
            _draw_samples()
        with st.container(border=True, height="stretch"):
            st.markdown("**:material/upload: Your own pictures**")
            st.caption("A folder, single files or a ZIP from this computer, or a folder on the lab's machine.")
            draw_add(None)
        with st.container(border=True, height="stretch"):
            st.markdown("**:material/photo_camera: The camera**")
            st.caption("Hold things in front of the camera and take pictures of each kind, one after the other.")
            st.button(
                "Use the camera",
                key="transfer_images_camera",
                icon=":material/photo_camera:",
                on_click=use_camera,
                width="stretch",
            )
    _draw_sets()


def _draw_samples() -> None:
    st.markdown("**:material/science: A sample set**")
    st.caption("Real pictures that are at hand already: the quickest way to see how transfer learning works.")
    for key, spec in sample_sets_at_hand(data_root()).items():
        if clicked(
            spec.title, key=f"transfer_images_sample_{key}", icon=":material/add:", width="stretch", help=spec.summary
        ):
            _make_sample(key)


def _make_sample(key: str) -> None:
    try:
        with st.spinner("Putting the pictures together…"):
            answer = waiting.ask("make_sample_set", {"key": key}, timeout_s=_PATIENCE_S)
    except LabError as error:
        show_problem(error)
        return
    change_link(set=str(answer.data["set"]))
    st.rerun()


def _draw_sets() -> None:
    sets = image_sets().all()
    if sets:
        st.subheader("Image sets", anchor=False)
        shown = sets if st.session_state.get(_EVERY) else sets[:_MOST_SETS]
        with st.grid(3, min_column_width=280, gap="small"):
            for image_set in shown:
                _draw_card(image_set)
        if len(sets) > len(shown):
            st.checkbox(f"Show all {len(sets):,}", key=_EVERY)
    for problem in image_sets().damaged():
        st.warning(plain(problem), icon=":material/warning:")
    _draw_deleted()


def _draw_card(image_set: ImageSet) -> None:
    with st.container(border=True, height="stretch", key=f"transfer_images_card_{image_set.id}"):
        st.markdown(f"**{plain(image_set.name)}**")
        st.html(
            f"{_strip(image_set)}<div class='lab-note lab-numbers'>{html.escape(counts_text(image_set))}<br>"
            f"version {image_set.version:,} · changed {_ago(image_sets().changed(image_set.id))}</div>"
        )
        st.space("stretch")
        with st.container(horizontal=True):
            st.button(
                "Open", key=f"transfer_images_open_{image_set.id}", icon=":material/arrow_forward:",
                on_click=_open, args=(image_set.id,),
            )  # fmt: skip
            with st.popover(
                "More", icon=":material/more_horiz:", type="tertiary",
                key=f"transfer_images_more_{image_set.id}_{image_set.name}",
            ):  # fmt: skip
                name = f"transfer_images_name_{image_set.id}"
                st.text_input("Name", image_set.name, key=name, max_chars=80)
                st.button(
                    "Rename", key=f"{name}_button", on_click=change_name, args=(image_set.id, name), width="stretch"
                )
                st.button(
                    "Delete", key=f"transfer_images_delete_{image_set.id}", icon=":material/delete:",
                    on_click=delete_set, args=(image_set.id,), width="stretch",
                )  # fmt: skip


def _open(set_id: str) -> None:
    change_link(set=set_id)


def _strip(image_set: ImageSet) -> str:
    """A few of the pictures, of as many classes as possible."""
    chosen = _varied(image_set)
    sources = [image_source(image_sets(), image_set.id, record) for record in chosen]
    figures = [
        f"<figure><img alt='{html.escape(record.label)}' src='{source}'></figure>"
        for record, source in zip(chosen, sources, strict=True)
    ]
    blank = "<figure><div class='lab-blank'></div></figure>"
    figures += [blank] * (_IN_STRIP - len(figures))
    return f"<div class='lab-strip lab-strip-photos'>{''.join(figures)}</div>"


def _varied(image_set: ImageSet) -> list[ImageRecord]:
    """First images of the classes in turn."""
    seen: dict[str, int] = {}
    ranked: list[tuple[int, int, ImageRecord]] = []
    for record in image_set.included():
        rank = seen.get(record.label, 0)
        if rank < _IN_STRIP:
            ranked.append((rank, record.key, record))
        seen[record.label] = rank + 1
    return [record for _, _, record in sorted(ranked, key=lambda each: each[:2])[:_IN_STRIP]]


def _ago(moment: float) -> str:
    seconds = max(0.0, time.time() - moment)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count:,} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def _draw_deleted() -> None:
    deleted = [image_set for image_set in image_sets().all(deleted=True) if image_set.version]
    if not deleted:
        return
    with st.expander(f"Deleted ({len(deleted):,})", icon=":material/delete:"):
        st.caption(
            f"A deleted set stays for {KEPT_DELETED_S / 86_400:.0f} days, to be restored and for trainings that need "
            "it; then the next upload removes its pictures for good. Trained networks stay."
        )
        for image_set in deleted[:_MOST_SETS]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"{plain(image_set.name)} · {counts_text(image_set)} · {kept_words(image_set.id)}", width="stretch"
                )
                st.button(
                    "Restore", key=f"transfer_images_restore_{image_set.id}", icon=":material/restore:",
                    on_click=restore_set, args=(image_set.id,),
                )  # fmt: skip

"""One image set: what is in it, what is wrong with it, and the way on."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnncore.errors import LabError
from cnncore.figures.image_set import balance_chart
from cnncore.images.findings import Finding, balance, findings
from cnncore.images.image_set import ImageSet
from cnncore.images.store import ImageSets
from cnncore.images.undoing import Step, steps
from pages.components.lab import show_problem
from pages.components.live_chart import still_chart
from pages.components.transfer_images_add import MORE, draw_add
from pages.components.transfer_images_classes import draw_classes
from pages.components.transfer_images_division import draw_division
from pages.components.transfer_images_edits import (
    change_name,
    delete_set,
    image_sets,
    kept_words,
    restore_set,
    return_to,
    show_last_problem,
)
from pages.components.transfer_images_intake import show_intakes
from pages.components.transfer_images_view import draw_view, show_finding
from pages.components.transfer_images_words import counts_text, edit_words
from pages.components.transfer_link import change_link, go_to
from pages.components.wording import bytes_text, plain

_MOST_FINDINGS = 4
_LOOKS = {
    "error": ":red[:material/error:]",
    "warning": ":orange[:material/warning:]",
    "note": ":blue[:material/info:]",
}


def show_set(set_id: str) -> None:
    """The whole step for one set."""
    try:
        image_set = image_sets().get(set_id)
    except LabError as error:
        show_problem(error)
        st.button("All image sets", key="transfer_images_lost", icon=":material/arrow_back:", on_click=_leave)
        return
    if image_sets().card(set_id).deleted is not None:
        _draw_deleted(image_set)
        return
    _draw_header(image_set)
    show_last_problem()
    running = show_intakes(set_id)
    found = _findings(image_set, image_sets().folder, image_set.reference)
    if not image_set.images and not running:
        draw_add(image_set)
    else:
        _draw_more(image_set)
        if image_set.images:
            _draw_content(image_set, found)
        else:
            st.html("<div class='lab-empty'>The images appear here once all of them were looked at.</div>")
    _draw_next(image_set, found, coming=bool(running))


def _draw_deleted(image_set: ImageSet) -> None:
    st.button(
        "All image sets", key="transfer_images_back", icon=":material/arrow_back:", type="tertiary", on_click=_leave
    )
    show_last_problem()
    st.subheader(plain(image_set.name), anchor=False)
    st.info(f"This image set was deleted. {kept_words(image_set.id)}", icon=":material/delete:")
    st.button(
        "Restore", key=f"transfer_images_restore_{image_set.id}", icon=":material/restore:",
        on_click=restore_set, args=(image_set.id,),
    )  # fmt: skip


def _leave() -> None:
    change_link(set="")


@st.cache_resource(max_entries=20, show_spinner=False)
def _findings(_image_set: ImageSet, folder: Path, reference: str) -> tuple[Finding, ...]:
    return findings(_image_set)


def _draw_header(image_set: ImageSet) -> None:
    st.button(
        "All image sets", key="transfer_images_back", icon=":material/arrow_back:", type="tertiary", on_click=_leave
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(plain(image_set.name), anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            _draw_undo(image_set)
            rename = st.popover("Rename", icon=":material/edit:", key=f"transfer_images_rename_{image_set.name}")
            with rename, st.form("transfer_images_name", border=False):
                st.text_input("Name of the set", image_set.name, key="transfer_images_new_name", max_chars=80)
                st.form_submit_button("Rename", on_click=change_name, args=(image_set.id,))
            st.button(
                "Delete",
                key="transfer_images_delete",
                icon=":material/delete:",
                on_click=delete_set,
                args=(image_set.id,),
                help="The set leaves the list; it can be restored from there.",
            )
    st.html(f"<div class='lab-note lab-numbers'>{_facts(image_set)}</div>")


@st.cache_resource(max_entries=20, show_spinner=False)
def _steps(folder: Path, set_id: str, version: int) -> tuple[Step | None, Step | None]:
    return steps(ImageSets(folder).versions(set_id))


def _draw_undo(image_set: ImageSet) -> None:
    back, forth = _steps(image_sets().folder, image_set.id, image_set.version)
    for name, title, step in (("undo", "Undo", back), ("redo", "Redo", forth)):
        if step is not None:
            st.button(
                f"{title}: {plain(edit_words(step.edits[-1]))}",
                key=f"transfer_images_{name}",
                icon=f":material/{name}:",
                type="secondary" if name == "undo" else "tertiary",
                on_click=return_to,
                args=(image_set.id, image_set.version, step.to),
            )


def _facts(image_set: ImageSet) -> str:
    parts = [counts_text(image_set), f"version {image_set.version:,}"]
    records = image_set.images.values()
    if records:
        parts.append(bytes_text(sum(record.num_bytes for record in records)))
        small = min(records, key=lambda record: record.width * record.height)
        large = max(records, key=lambda record: record.width * record.height)
        if (small.width, small.height) == (large.width, large.height):
            parts.append(f"all {small.width:,} × {small.height:,} pixels")
        else:
            parts.append(f"{small.width:,} × {small.height:,} to {large.width:,} × {large.height:,} pixels")
    return " · ".join(parts)


def _draw_more(image_set: ImageSet) -> None:
    with st.expander("Add images", icon=":material/add_photo_alternate:", key=MORE, on_change="rerun") as fold:
        if fold.open:
            draw_add(image_set)


def _draw_content(image_set: ImageSet, found: tuple[Finding, ...]) -> None:
    left, right = st.columns([1, 2], gap="medium")
    with left:
        table = balance(image_set)
        st.markdown("**Classes**")
        still_chart(balance_chart(table), key="transfer_images_balance")
        with st.expander("The same as a table"):
            st.dataframe(table, hide_index=True)
        draw_classes(image_set)
        draw_division(image_set)
    with right:
        _draw_findings(found)
        draw_view(image_set, found)


def _draw_findings(found: tuple[Finding, ...]) -> None:
    if not found:
        st.markdown(":green[:material/check_circle:] Nothing stands out: no warnings about these images.")
        return
    with st.container(border=True, gap="small"):
        for index, finding in enumerate(found[:_MOST_FINDINGS]):
            _draw_finding(index, finding)
        if rest := found[_MOST_FINDINGS:]:
            with st.expander(f"{len(rest):,} more"):
                for index, finding in enumerate(rest, _MOST_FINDINGS):
                    _draw_finding(index, finding)


def _draw_finding(index: int, finding: Finding) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{_LOOKS[finding.severity]} {plain(finding.message)} {plain(finding.hint)}", width="stretch")
        if finding.keys:
            st.button(
                f"Show {len(finding.keys):,}",
                key=f"transfer_images_finding_{index}",
                on_click=show_finding,
                args=(finding.message,),
            )


def _draw_next(image_set: ImageSet, found: tuple[Finding, ...], *, coming: bool) -> None:
    problem = next((finding for finding in found if finding.severity == "error"), None)
    empty = "The images are on their way." if coming else "Add images first."
    why = empty if not image_set.images else problem and f"{problem.message} {problem.hint}"
    with st.container(key="transfer_images_next", horizontal=True, vertical_alignment="center"):
        st.caption(plain(why) if why else "These images can be trained on.", width="stretch")
        st.button(
            "Next: choose a backbone",
            key="transfer_images_go",
            type="primary",
            icon=":material/arrow_forward:",
            icon_position="right",
            disabled=bool(why),
            on_click=go_to,
            args=("backbone",),
            kwargs={"set": image_set.id},
        )

"""Shows how far the images of an upload are, and what became of them; it finds running ones again after a reload."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from cnncore.errors import DataError, LabError
from cnncore.images.intake import IntakeProgress, cancel_intake, forget_intake, intake_progress, intakes
from pages.components.lab import shown_errors
from pages.components.transfer_images_edits import image_sets, next_turn, note_problem
from pages.components.transfer_images_words import number_of
from pages.components.wording import plain

_LOOK_S = 1.0
_MOST_REFUSED = 100


def show_intakes(set_id: str) -> bool:
    """The running intakes of a set, drawn again by themselves, and the reports of those that have ended.

    Returns:
        Whether one is running.
    """
    found: list[tuple[str, IntakeProgress]] = []
    for token in intakes(image_sets(), set_id):
        with suppress(DataError):  # another session may just have closed the report
            found.append((token, intake_progress(image_sets(), set_id, token)))
    running = tuple(token for token, progress in found if not progress.finished)
    if running:
        st.fragment(_watch, run_every=_LOOK_S)(set_id, running)
    for token, progress in found:
        if progress.finished and progress == IntakeProgress(
            done=1, total=1, phase=progress.phase, added=1, finished=True
        ):
            # Pictures that are taken one after the other need no report each.
            st.toast("1 image added", icon=":material/check_circle:")
            _close(set_id, token)
        elif progress.finished:
            _report(set_id, token, progress)
    return bool(running)


def _watch(set_id: str, tokens: tuple[str, ...]) -> None:
    with shown_errors():
        for token in tokens:
            progress = intake_progress(image_sets(), set_id, token)
            if progress.finished:
                next_turn()
                st.rerun()
            _draw_running(set_id, token, progress)


def _draw_running(set_id: str, token: str, progress: IntakeProgress) -> None:
    share = progress.done / progress.total if progress.total else 0.0
    counted = f": {progress.done:,} of {progress.total:,}" if progress.total else "…"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(1.0, share), text=f"{progress.phase}{counted}")
        st.button(
            "Cancel",
            key=f"transfer_images_cancel_{token}",
            icon=":material/close:",
            type="tertiary",
            on_click=_cancel,
            args=(set_id, token),
            help="Nothing of this upload is added.",
        )


def _cancel(set_id: str, token: str) -> None:
    try:
        cancel_intake(image_sets(), set_id, token)
    except LabError as error:
        note_problem(error)


def _close(set_id: str, token: str) -> None:
    with suppress(DataError):  # another session has closed it
        forget_intake(image_sets(), set_id, token)


def _report(set_id: str, token: str, progress: IntakeProgress) -> None:
    with st.container(border=True, key=f"transfer_images_report_{token}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_summary(progress), width="stretch")
            st.button(
                "Close", key=f"transfer_images_close_{token}", icon=":material/close:", type="tertiary",
                on_click=_close, args=(set_id, token),
            )  # fmt: skip
        if progress.refused:
            with st.expander(f"{number_of(len(progress.refused), 'file')} not added", expanded=not progress.added):
                lines = [f"- **{plain(name)}**: {plain(why)}" for name, why in progress.refused[:_MOST_REFUSED]]
                if len(progress.refused) > _MOST_REFUSED:
                    lines.append(f"- … and {len(progress.refused) - _MOST_REFUSED:,} more")
                st.markdown("\n".join(lines))


def _summary(progress: IntakeProgress) -> str:
    if progress.error:
        return f":red[:material/error:] {plain(progress.error)}"
    parts = [f"{number_of(progress.added, 'image')} added"]
    if progress.duplicates:
        parts.append(f"{progress.duplicates:,} skipped, since their class had them already")
    return f":green[:material/check_circle:] {', '.join(parts)}."

"""Shows how far the images of an upload are, and what became of them; it finds running ones again after a reload."""

from __future__ import annotations

import streamlit as st

from cnncore.images.intake import IntakeProgress, intake_progress, intakes
from pages.components.lab import shown_errors
from pages.components.transfer_images_edits import image_sets, next_turn
from pages.components.wording import plain

_LOOK_S = 1.0
_READ = "transfer_images_read"
"""Tokens of the reports that were closed."""
_MOST_REFUSED = 100


def show_intakes(set_id: str) -> None:
    """The running intakes of a set, drawn again by themselves, and the reports of those that have ended."""
    running, ended = [], []
    for token in intakes(image_sets(), set_id):
        if token in st.session_state.get(_READ, ()):
            continue
        progress = intake_progress(image_sets(), set_id, token)
        (ended if progress.finished else running).append((token, progress))
    if running:
        st.fragment(_watch, run_every=_LOOK_S)(set_id, tuple(token for token, _ in running))
    for token, progress in ended:
        _report(token, progress)


def _watch(set_id: str, tokens: tuple[str, ...]) -> None:
    with shown_errors():
        for token in tokens:
            progress = intake_progress(image_sets(), set_id, token)
            if progress.finished:
                next_turn()
                st.rerun()
            share = progress.done / progress.total if progress.total else 0.0
            st.progress(min(1.0, share), text=f"{progress.phase}: {progress.done:,} of {progress.total:,}")


def _report(token: str, progress: IntakeProgress) -> None:
    with st.container(border=True, key=f"transfer_images_report_{token}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_summary(progress), width="stretch")
            st.button(
                "Close", key=f"transfer_images_close_{token}", icon=":material/close:", type="tertiary",
                on_click=_close, args=(token,),
            )  # fmt: skip
        if progress.refused:
            with st.expander(f"{len(progress.refused):,} files were not taken", expanded=not progress.added):
                lines = [f"- **{plain(name)}**: {plain(why)}" for name, why in progress.refused[:_MOST_REFUSED]]
                if len(progress.refused) > _MOST_REFUSED:
                    lines.append(f"- … and {len(progress.refused) - _MOST_REFUSED:,} more")
                st.markdown("\n".join(lines))


def _summary(progress: IntakeProgress) -> str:
    if progress.error:
        return f":red[:material/error:] {plain(progress.error)}"
    parts = [f"{progress.added:,} images were added"]
    if progress.duplicates:
        parts.append(f"{progress.duplicates:,} were there already")
    return f":green[:material/check_circle:] {', '.join(parts)}."


def _close(token: str) -> None:
    st.session_state[_READ] = (*st.session_state.get(_READ, ()), token)

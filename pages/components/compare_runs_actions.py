"""What can be done with the selected runs: tag, rename, delete with a way back, repeat, vary."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from cnncore.errors import LabError
from cnncore.runs.run import ALIVE, Run
from cnncore.runs.tidying import delete, read_tags, set_tags
from pages.components.clicks import clicked
from pages.components.compare_runs_repeat import ACTION, draw_grid, draw_repeat
from pages.components.compare_runs_table import select
from pages.components.inspect_link import inspect_button
from pages.components.lab import restore_runs, show_problem, store
from pages.components.navigation import COMPARE, open_run

UNDO = "runs_undo"
"""Key of the ids of the runs that were deleted last."""
_PROBLEM = "runs_problem"


def show_actions(runs: Sequence[Run]) -> None:
    """The actions for the selection; without one, what to do first, or how to undo the last deletion."""
    with st.container(key="runs_actions"):
        _show_undo()
        problem = st.session_state.pop(_PROBLEM, None)
        if problem is not None:
            show_problem(problem)
        if not runs:
            st.caption("Select runs in the table to see their curves over each other and to compare what they reached.")
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{len(runs)} selected**", width="content")
            names = [name for name in _ACTIONS if name != "Rename" or len(runs) == 1]
            if st.session_state.get(ACTION) not in names:
                st.session_state[ACTION] = None
            chosen = st.pills("Do with them", names, key=ACTION, label_visibility="collapsed", wrap=True)
            _lead_on(runs)
            st.button("Clear selection", key="runs_clear", icon=":material/close:", type="tertiary", on_click=_clear)
        if chosen:
            with st.container(border=True):
                _ACTIONS[chosen](runs)


def _lead_on(runs: Sequence[Run]) -> None:
    """One run has a page of its own, two can be put head to head; what a few have learned can be looked into."""
    if len(runs) == 1:
        if clicked("Open its page", key="runs_open", icon=":material/open_in_new:"):
            open_run(runs[0])
    elif len(runs) == 2:
        why = "The two side by side, and the images on which they disagree."
        if clicked("Head to head", key="runs_heads", icon=":material/compare_arrows:", help=why):
            st.switch_page(COMPARE, query_params={"view": "heads", "a": runs[0].id, "b": runs[1].id})
    inspect_button(runs, "runs_inspect")


def _clear() -> None:
    select(())
    st.session_state[ACTION] = None


def _attempt(work: Callable[[], object]) -> bool:
    """Do it in a callback; where that is not possible, the page says why."""
    try:
        work()
    except LabError as error:
        st.session_state[_PROBLEM] = error
        return False
    return True


# Tags and names


def _draw_tags(runs: Sequence[Run]) -> None:
    tags = sorted({tag for run in runs for tag in run.tags}, key=str.casefold)
    ids = [run.id for run in runs]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("New tags", key="runs_new_tags", placeholder="with commas between them", max_chars=500, width=280)
        st.button("Add", key="runs_add_tags", icon=":material/sell:", on_click=_add_tags, args=(ids,))
        if tags:
            st.pills("Take away", tags, key="runs_old_tags", on_change=_remove_tag, args=(ids,))


def _add_tags(ids: Sequence[str]) -> None:
    text = st.session_state["runs_new_tags"]
    if _attempt(lambda: set_tags(store(), ids, add=read_tags(text))):
        st.session_state["runs_new_tags"] = ""


def _remove_tag(ids: Sequence[str]) -> None:
    tag = st.session_state["runs_old_tags"]
    if tag:
        set_tags(store(), ids, remove=[tag])
    st.session_state["runs_old_tags"] = None


def _draw_rename(runs: Sequence[Run]) -> None:
    run = runs[0]
    key = f"runs_name_{run.id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Name", value=run.name, key=key, max_chars=200, width=380)
        st.button("Rename", key="runs_rename", icon=":material/edit:", on_click=_rename, args=(run.id, key))


def _rename(run_id: str, key: str) -> None:
    if _attempt(lambda: store().rename(run_id, st.session_state[key])):
        st.session_state[ACTION] = None


# Deleting


def _draw_delete(runs: Sequence[Run]) -> None:
    on = [run for run in runs if run.status in ALIVE]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Delete {_count(len(runs))}",
            key="runs_delete",
            icon=":material/delete:",
            disabled=bool(on),
            on_click=_delete,
            args=([run.id for run in runs],),
        )
        st.caption(
            f"{_count(len(on))} of them {'is' if len(on) == 1 else 'are'} on; stop what is on first."
            if on
            else "For a day they can be restored; then curves, weights and checkpoints are gone for good.",
            width="content",
        )


def _delete(ids: Sequence[str]) -> None:
    if _attempt(lambda: delete(store(), ids)):
        st.session_state[UNDO] = tuple(ids)
        _clear()


def _show_undo() -> None:
    ids: tuple[str, ...] = st.session_state.get(UNDO, ())
    if not ids:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="runs_deleted", border=True):
        st.markdown(f":material/delete: Deleted {_count(len(ids))}.", width="content")
        st.button("Undo", key="runs_undo_button", icon=":material/undo:", on_click=_undo, args=(ids,))
        st.button("Dismiss", key="runs_undo_close", type="tertiary", on_click=_forget)


def _undo(ids: Sequence[str]) -> None:
    restore_runs(ids)
    select(ids)
    _forget()


def _forget() -> None:
    st.session_state.pop(UNDO, None)


def _count(number: int) -> str:
    return f"{number} run" if number == 1 else f"{number} runs"


_ACTIONS: dict[str, Callable[[Sequence[Run]], None]] = {
    "Tag": _draw_tags,
    "Rename": _draw_rename,
    "Repeat with more seeds": draw_repeat,
    "Vary settings": draw_grid,
    "Delete": _draw_delete,
}

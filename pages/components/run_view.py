"""Everything the Train page shows of one run, from the queue to its results."""

from __future__ import annotations

import streamlit as st

from cnncore.errors import RunError
from cnncore.runs.artifacts import run_dir
from cnncore.runs.store import Run
from cnncore.runs.tidying import deleted_runs
from pages.components.lab import artifacts, look_after, restore_runs, store
from pages.components.latency_view import show_latency
from pages.components.navigation import TRAIN
from pages.components.rate_search import show_rate_search
from pages.components.run_header import show_header
from pages.components.run_import import show_import
from pages.components.run_list import recent_runs, show_queue
from pages.components.run_live import show_live
from pages.components.run_results import show_outcome, show_results
from pages.components.wording import plain


def show_run(run_id: str) -> None:
    """The page of the run that a link names."""
    try:
        run = _find(run_id)
    except RunError as error:
        _show_dead_link(run_id, error)
        return
    look_after(run)
    show_header(run)
    show_outcome(run)
    if run.status == "queued":
        show_queue()
    if run.kind == "find_lr":
        show_rate_search(run)
    elif run.kind == "latency":
        show_latency(run)
    elif run.kind == "import":
        show_import(run)
    else:
        show_live(run)
        show_results(run)


def _find(run_id: str) -> Run:
    run_dir(artifacts(), run_id)  # refuses what cannot be an id before the database sees it
    return store().get(run_id)


def _show_dead_link(run_id: str, error: RunError) -> None:
    st.warning(plain(error.message), icon=":material/link_off:")
    deleted = run_id in {run.id for run in deleted_runs(store())}
    if deleted and st.button("Restore it", icon=":material/undo:", key="run_restore"):
        restore_runs([run_id])
        st.rerun()
    st.page_link(TRAIN, label="Train a network", icon=":material/model_training:", query_params={})
    recent_runs()

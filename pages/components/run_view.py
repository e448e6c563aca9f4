"""Everything the Train page shows of one run, from the queue to its results."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cnncore.errors import RunError
from cnncore.runs.artifacts import run_dir
from cnncore.runs.store import Run
from cnncore.runs.tidying import deleted_runs
from pages.components.clicks import clicked
from pages.components.lab import artifacts, look_after, restore_runs, store
from pages.components.latency_view import show_latency
from pages.components.navigation import TRAIN, TRANSFER
from pages.components.rate_search import show_rate_search
from pages.components.run_header import never_trained, show_header
from pages.components.run_import import show_import
from pages.components.run_list import recent_runs, show_queue
from pages.components.run_live import show_live
from pages.components.run_results import show_outcome, show_results
from pages.components.transfer_run_link import belongs_here, run_params
from pages.components.wording import plain

Part = Callable[[Run], None]
_KINDS: dict[str, Part] = {"find_lr": show_rate_search, "latency": show_latency, "import": show_import}
"""What is shown of runs that are no trainings."""


def show_run(run_id: str, *, after_result: Part | None = None, before_curves: Part | None = None) -> None:
    """The page of the run that a link names.

    Args:
        run_id: What the link says.
        after_result: Draws what another page shows below the result.
        before_curves: Draws what another page shows above the curves of a training.
    """
    try:
        run = _find(run_id)
    except RunError as error:
        _show_dead_link(run_id, error)
        return
    look_after(run)
    if before_curves is None and belongs_here(run):
        params = run_params(run)
        st.page_link(TRANSFER, label="Open in Transfer", icon=":material/photo_library:", query_params=params)
    show_header(run)
    show_outcome(run)
    if after_result:
        after_result(run)
    if run.status == "queued":
        show_queue(run.id)
    if run.kind in _KINDS:
        _KINDS[run.kind](run)
        return
    if before_curves:
        before_curves(run)
    if never_trained(run):
        st.html("<div class='lab-empty'>It ended before its first step, so there are no curves and no weights.</div>")
        return
    show_live(run)
    show_results(run)


def _find(run_id: str) -> Run:
    run_dir(artifacts(), run_id)  # refuses what cannot be an id before the database sees it
    return store().get(run_id)


def _show_dead_link(run_id: str, error: RunError) -> None:
    st.warning(plain(error.message), icon=":material/link_off:")
    deleted = run_id in {run.id for run in deleted_runs(store())}
    if deleted and clicked("Restore it", icon=":material/undo:", key="run_restore", about=run_id):
        restore_runs([run_id])
        st.rerun()
    st.page_link(TRAIN, label="Train a network", icon=":material/model_training:", query_params={})
    st.subheader("Recent runs", anchor=False)
    recent_runs()

"""The page of a latency measurement: the batch sizes with their times, as they come in."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnncore.catalog import MODELS
from cnncore.config.latency import published_latency
from cnncore.runs.latencies import KIND, Latency, read_latency
from cnncore.runs.runner import ensure_runner
from cnncore.runs.store import Run
from pages.components.clicks import clicked
from pages.components.lab import artifacts, shown_errors, store
from pages.components.navigation import COMPARE, open_run
from pages.components.wording import threads_text

_TICK_S = 1.0
_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_HOW = (
    "Forward only, in evaluation mode, as the lab evaluates. The first passes do not count; the median and the 10th "
    "and 90th percentile of the others are shown: single passes are disturbed by whatever else the machine does."
)


def choose_latency(name: str) -> None:
    """Which batch sizes of a network in its published form are measured, and the button that starts it."""
    sizes = st.multiselect(
        "Images a batch",
        _BATCH_SIZES,
        default=published_latency(name).batch_sizes,
        key="latency_sizes",
        help="One image tells how soon an answer comes; large batches tell how many images a second are possible.",
    )
    st.caption("How long batches take on this machine, forward only, with the spread. It waits its turn in the queue.")
    if clicked("Measure", icon=":material/speed:", key="latency_start", disabled=not sizes):
        open_run(start_latency(name, sizes))


def start_latency(name: str, batch_sizes: Sequence[int]) -> Run:
    """Put the measurement of a network in its published form into the queue."""
    config = published_latency(name).model_copy(update={"batch_sizes": tuple(sorted(batch_sizes))})
    run = store().create(config.model_dump(mode="json"), name=f"Latency of {MODELS[name].title}", kind=KIND)
    ensure_runner(artifacts())
    return run


def show_latency(run: Run) -> None:
    """What was measured so far; it fills in by itself as long as the run is open."""
    st.fragment(_live, run_every=_TICK_S if run.is_open else None)(run.id, run.is_open)
    st.caption(_HOW)
    name = str(run.config.get("model", {}).get("name", ""))
    if name in MODELS:
        link = {"net": name}
        st.page_link(
            COMPARE, label=f"{MODELS[name].title} in Compare", icon=":material/compare_arrows:", query_params=link
        )


def _live(run_id: str, was_open: bool) -> None:
    with shown_errors():
        run = store().get(run_id)
        if run.is_open != was_open:
            st.rerun()
        found = read_latency(run)
        if found is None:
            st.html("<div class='lab-empty'>The times appear here, one batch size after the other.</div>")
        else:
            st.markdown(_words(found))
            st.dataframe(_rows(found), hide_index=True, width="stretch", key="run_latency")


def _words(found: Latency) -> str:
    shape = "×".join(map(str, found.config.in_shape))
    threads = f", {threads_text(found.threads)}" if found.device == "cpu" else ""
    return f"`{found.config.model.name}` on images of {shape}: {found.device_name}, {found.precision}{threads}."


def _rows(found: Latency) -> list[dict[str, float]]:
    return [
        {
            "batch": timing.batch_size,
            "ms a batch": round(timing.ms, 3),
            "10th percentile": round(timing.ms_p10, 3),
            "90th percentile": round(timing.ms_p90, 3),
            "images/s": round(timing.images_per_s, 1),
            "passes": timing.repeats,
        }
        for timing in found.timings.values()
    ]

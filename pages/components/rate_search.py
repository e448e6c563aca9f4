"""The page of a search for a learning rate: the loss while the rate rises, the suggestion, and the way on."""

from __future__ import annotations

import streamlit as st

from cnncore.figures.rate_search import rate_search
from cnncore.runs.store import Run
from pages.components.clicks import clicked
from pages.components.lab import shown_errors, start_run, store
from pages.components.live_chart import live_chart
from pages.components.navigation import TRAIN, open_run
from pages.components.run_live import TICK_S, history, show_progress, state
from pages.components.run_words import known, read_config

_HOW_IT_WORKS = (
    "The weights are spoiled in the search and not kept: a training starts afresh. Method: learning rate range test "
    "(Smith, 2017). The curve is smoothed; what climbs far beyond its start is cut off."
)


def show_rate_search(run: Run) -> None:
    """What the search says, and its chart, which moves by itself as long as the run is open."""
    if not run.is_open:
        _show_verdict(run)
    st.fragment(_live, run_every=TICK_S if run.is_open else None)(run.id, state(run))
    st.caption(_HOW_IT_WORKS)


def _live(run_id: str, drawn: tuple[str, str, int]) -> None:
    with shown_errors():
        run = store().get(run_id)
        if state(run) != drawn:
            st.rerun()
        log = history(run_id)
        log.refresh(store())
        if run.is_open:
            show_progress(run)
            st.markdown(verdict(run))
        chart = rate_search(log, suggested_rate(run))
        live_chart(chart.to_bytes(), chart.height, key="run_rate_search")


def suggested_rate(run: Run) -> float | None:
    """The rate a search found; None while it is on and where it found none."""
    rate = run.summary.get("suggested_lr")
    return rate if known(rate) else None


def verdict(run: Run) -> str:
    """One sentence: how to read the chart, and what to make of it."""
    rate = suggested_rate(run)
    if run.is_open:
        return "The learning rate rises with every step; a good one lies where the loss falls fastest."
    if rate is not None:
        return f"The loss falls fastest at {rate:g}; take it or somewhat less."
    if run.status == "finished":
        return (
            "The loss falls at no rate, so none can be suggested; try another initialization, normalization or "
            "optimizer, or larger batches, and search again."
        )
    return "The search ended before it could suggest a rate."


def _show_verdict(run: Run) -> None:
    rate = suggested_rate(run)
    with st.container(key="run_rate_verdict"):
        if rate is None:
            st.info(verdict(run), icon=":material/search_off:")
        else:
            st.html(
                "<div class='lab-result lab-numbers'><div style='opacity:.75'>Suggested learning rate</div>"
                f"<b style='font-size:2.4rem;line-height:1.2'>{rate:g}</b><div>{verdict(run)}</div></div>"
            )
        with st.container(horizontal=True):
            if rate is not None:
                _train_with(run, rate)
            elif run.status != "finished":
                _search_again(run)
            if clicked("Back to the form", icon=":material/tune:", key="run_rate_back", about=run.id):
                st.switch_page(TRAIN, query_params={"from": run.id})


def _train_with(run: Run, rate: float) -> None:
    why = "Opens the form with this rate and the other settings of the search; nothing starts yet."
    if clicked(
        f"Train with {rate:g}", icon=":material/check:", type="primary", key="run_rate_train", about=run.id, help=why
    ):
        st.switch_page(TRAIN, query_params={"from": run.id, "optimizer.lr": f"{rate:g}"})


def _search_again(run: Run) -> None:
    config = read_config(run)
    if config and clicked("Search again", icon=":material/replay:", type="primary", key="run_rate_again", about=run.id):
        open_run(start_run(config, "find_lr"))

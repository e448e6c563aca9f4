"""Lists of runs: the queue, and the latest ones with their curves in small."""

from __future__ import annotations

import streamlit as st

from cnncore.figures import theme
from cnncore.figures.tiles import STYLE, Tile, tiles
from cnncore.runs.store import ALIVE, Run
from pages.components.clicks import clicked
from pages.components.lab import shown_errors, store
from pages.components.navigation import TRAIN
from pages.components.run_words import STATUS_LOOKS, curve_of, fraction_done, known, percent, progress_words
from pages.components.wording import plain

_LOOK_S = 2.0
_MOST_OFFERED = 200


def show_queue(own: str) -> None:
    """Runs that are on and runs that wait, in the order of their turn; nothing where there is only the run `own`."""
    st.fragment(_queue, run_every=_LOOK_S)(own)


def _queue(own: str) -> None:
    with shown_errors():
        on, waiting = store().list(status=ALIVE), store().queue()
        if all(run.id == own for run in (*on, *waiting)):
            return
        st.subheader("Queue", anchor=False)
        for run in reversed(on):
            _queue_row(run, progress_words(run))
        for position, run in enumerate(waiting, 1):
            _queue_row(run, f"Number {position} in the queue" if on or position > 1 else "Next, it starts in a moment…")


def _queue_row(run: Run, words: str) -> None:
    look = STATUS_LOOKS[run.status]
    with st.container(border=True, key=f"queue_{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(look.label, icon=look.icon, color=look.color)
            st.page_link(TRAIN, label=plain(run.name), query_params={"run": run.id}, width="stretch")
            if run.status != "stopping" and clicked("Stop", icon=":material/stop:", key=f"queue_stop_{run.id}"):
                store().ask(run.id, "stop")
                st.rerun()
        if run.status == "queued":
            st.caption(words)
        else:
            st.progress(fraction_done(run), text=words)


@st.cache_resource(ttl=5, show_spinner=False)
def _latest(url: str) -> tuple[Run, ...]:
    return store().list(limit=_MOST_OFFERED)


def runs_with_weights() -> tuple[Run, ...]:
    """The latest runs that are over and have weights, newest first."""
    return tuple(
        run
        for run in _latest(store().url)
        if (run.kind == "import" or (run.kind == "train" and run.summary.get("epoch"))) and not run.is_open
    )


def trained_runs(model: str) -> dict[str, str]:
    """Names of the latest runs of a network that have weights, by their ids."""
    return {run.id: run.name for run in runs_with_weights() if run.config.get("model", {}).get("name") == model}


def recent_runs(limit: int = 6) -> None:
    """Cards of the latest training runs, each with its accuracy curve and a link; an offer where there are none."""
    runs = store().list(kind="train", limit=limit)
    if not runs:
        st.caption("Runs appear here as soon as the first network has been trained.")
        return
    for start in range(0, len(runs), 3):
        for column, run in zip(st.columns(3), runs[start : start + 3], strict=False):
            with column:
                _card(run)


def _card(run: Run) -> None:
    look = STATUS_LOOKS[run.status]
    label, value = _headline(run)
    curve = curve_of(run.summary, "spark_accuracy")
    with st.container(key=f"recent_{run.id}"):
        st.page_link(TRAIN, label=f"**{plain(run.name)}**", icon=look.icon, query_params={"run": run.id})
        st.html(
            STYLE
            + tiles((Tile(label=label, value=value, note=look.label.lower(), curve=curve, color=theme.VALIDATION),))
        )


def _headline(run: Run) -> tuple[str, str]:
    """The number that says most about a run."""
    for name, label in (
        ("test_accuracy", "Test accuracy"),
        ("best_val_accuracy", "Best validation accuracy"),
        ("train_accuracy", "Training accuracy"),
    ):
        if known(run.summary.get(name)):
            return label, percent(run.summary[name])
    return "Accuracy", "–"

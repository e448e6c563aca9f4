"""What moves while a run is on: progress, tiles and charts, looked at once a second."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from cnncore.figures import live, theme
from cnncore.figures.chart import Chart
from cnncore.figures.live import View, XAxis
from cnncore.figures.tiles import STYLE, Tile, tiles
from cnncore.runs.history import History
from cnncore.runs.store import Run
from pages.components.lab import look_after, shown_errors, store
from pages.components.live_chart import live_chart
from pages.components.run_words import compact, curve_of, duration, fraction_done, known, percent, progress_words
from pages.components.wording import plain

TICK_S = 1.0
RESULTS = "run_results"
"""Key of the fragment that is drawn again when an epoch has ended."""

_SMOOTHING = {"none": 0.0, "light": 0.8, "medium": 0.93, "strong": 0.98}
_MARKED = ("step", "epoch", "change", "freeze")
"""Phases that every chart shows something of: where it stands, and what is marked on it."""
_X_AXES: dict[XAxis, str] = {"step": "Step", "epoch": "Epoch", "time": "Time"}


@st.cache_resource(show_spinner=False, max_entries=64)
def history(run_id: str) -> History:
    """The log of a run, one for all who watch it."""
    return History(run_id)


def state(run: Run) -> tuple[str, str, int]:
    """What the page around the live part is drawn from; when it changes the whole page is drawn again."""
    return run.status, run.name, run.attempt


def show_live(run: Run) -> None:
    """Progress, tiles and charts; they move by themselves as long as the run is open."""
    st.html(STYLE)
    every = TICK_S if run.is_open else None
    st.fragment(_live, run_every=every)(run.id, state(run))


def _live(run_id: str, drawn: tuple[str, str, int]) -> None:
    with shown_errors():
        run = store().get(run_id)
        if state(run) != drawn:
            st.rerun()
        look_after(run)
        log = history(run_id)
        log.refresh(store())
        show_progress(run)
        _show_tiles(run, log)
        _show_charts(log)


def show_progress(run: Run) -> None:
    """How far the run is, in a bar and in words; its place while it waits."""
    text = _queue_words(run) if run.status == "queued" else progress_words(run)
    st.progress(fraction_done(run), text=text)


def _queue_words(run: Run) -> str:
    waiting = store().queue()
    position = next((place for place, other in enumerate(waiting, 1) if other.id == run.id), 1)
    active = [other.name for other in store().list(status=("starting", "running", "stopping"))]
    ahead = [*active, *(other.name for other in waiting[: position - 1])]
    if not ahead:
        return "Next in the queue; it starts in a moment…"
    others = f" and {len(ahead) - 2} more" if len(ahead) > 2 else ""
    return f"Number {position} in the queue, after {plain(', '.join(ahead[:2]))}{others}"


def _show_tiles(run: Run, log: History) -> None:
    summary = run.summary
    validated = "val_accuracy" not in summary or known(summary["val_accuracy"])
    kind, shown = ("Validation", "val_accuracy") if validated else ("Training", "train_accuracy")
    color = theme.VALIDATION if validated else theme.TRAIN
    elapsed = summary.get("elapsed_s") or (log["step"]["elapsed"][-1] if len(log["step"]) else 0.0)
    best = f"epoch {summary['best_epoch']}" if summary.get("best_epoch") else ""
    shown_tiles = (
        Tile(
            label="Training loss",
            value=compact(summary.get("train_loss")),
            curve=curve_of(summary, "spark_loss"),
            color=theme.TRAIN,
        ),
        Tile(
            label=f"{kind} accuracy",
            value=percent(summary.get(shown)),
            curve=curve_of(summary, "spark_accuracy"),
            color=color,
        ),
        Tile(label="Best so far", value=percent(summary.get("best_val_accuracy")), note=best),
        Tile(
            label="Speed",
            value=compact(summary.get("rate"), ",.0f"),
            note="images/s" if known(summary.get("rate")) else "",
            curve=log["hardware"]["rate"][-40:].tolist(),
        ),
        Tile(label="Training time", value=duration(elapsed)),
    )
    st.html(tiles(shown_tiles))


def _show_charts(log: History) -> None:
    view = _view_controls()
    left, right = st.columns(2)
    with left:
        _draw(log, "loss", view, live.loss, *_MARKED)
    with right:
        _draw(log, "accuracy", view, live.accuracy, *_MARKED, on_signal=_redraw_results)
    choice = st.segmented_control(
        "More curves",
        list(_DETAILS),
        default="Learning rate",
        required=True,
        key="run_detail",
        label_visibility="collapsed",
    )
    _DETAILS[choice](log, view)


def _redraw_results() -> None:
    """An epoch has ended: the browser has noticed it on the accuracy chart and asks for its evaluation."""
    st.rerun(RESULTS)


def _view_controls() -> View:
    with st.container(horizontal=True, vertical_alignment="bottom", key="run_view"):
        x: XAxis = st.segmented_control(
            "Horizontal axis",
            list(_X_AXES),
            default="step",
            required=True,
            format_func=_X_AXES.__getitem__,
            key="run_x",
        )
        smoothing = st.segmented_control(
            "Smoothing", list(_SMOOTHING), default="medium", required=True, key="run_smoothing"
        )
        log_y = st.toggle("Logarithmic loss", key="run_log_y")
        st.caption("Drag in a chart to zoom, double-click to reset.", width="content")
    return View(x=x, log_y=log_y, smoothing=_SMOOTHING[smoothing])


def _draw(
    log: History,
    name: str,
    view: View,
    chart: Callable[[History, View], Chart],
    *phases: str,
    **more: Any,
) -> None:
    """Show a chart of the log, made once for each state of these phases for all viewers; `more` is for live_chart."""
    data, height = log.drawn((name, view), log.stamp(*phases), lambda: _made(chart(log, view)))
    live_chart(data, height, key=f"run_{name}", **more)


def _made(chart: Chart) -> tuple[bytes, int]:
    return chart.to_bytes(), chart.height


def _show_learning_rate(log: History, view: View) -> None:
    _draw(log, "learning_rate", view, live.learning_rate, *_MARKED)


def _show_gradients(log: History, view: View) -> None:
    num_layers = len(log["layers"].names) - 2
    as_map = st.toggle("Layers as a heat map", value=num_layers > live.MAX_LINES, key="run_layer_map")
    total, layers = st.columns(2)
    with total:
        _draw(log, "gradient_norm", view, live.gradient_norm, *_MARKED)
    with layers:
        chart = partial(live.layer_gradients, as_map=as_map)
        _draw(log, f"layers_{as_map}", view, chart, "layers", *_MARKED)
    st.caption(
        "The length of the loss's gradient for each layer's weights. Where the first layers' lies many powers of ten "
        "below the last ones', they hardly learn: the gradient vanishes on its way back."
    )


def _show_hardware(log: History, view: View) -> None:
    for column, (name, chart) in zip(st.columns(3), _HARDWARE.items(), strict=True):
        with column:
            _draw(log, name, view, chart, "hardware", *_MARKED)


_HARDWARE = {"memory": live.memory, "load": live.load, "speed": live.speed}
_DETAILS: dict[str, Callable[[History, View], None]] = {
    "Learning rate": _show_learning_rate,
    "Gradients": _show_gradients,
    "Hardware": _show_hardware,
}

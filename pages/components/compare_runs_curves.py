"""The selected runs over each other: who is who, what the seeds say, and their learning curves."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnncore.figures.overlay import OverlayView, Quantity, Series, overlay, style_of
from cnncore.runs.curves import Curves, XAxis, curves_csv, read_curves
from cnncore.runs.groups import Group, group_runs, verdicts
from cnncore.runs.run import Run
from cnncore.runs.search import changed_runs, runs_by_id
from pages.components.lab import shown_errors, store
from pages.components.live_chart import still_chart
from pages.components.wording import plain

LOOK_S = 3.0
MAX_VERDICTS = 3
"""Pairs of groups whose verdicts are told above the curves; the others stand in the table of groups."""
_X_WORDS: dict[XAxis, str] = {"step": "Step", "epoch": "Epoch", "images": "Images seen", "time": "Time"}
_SPLIT_WORDS = {"validation": "Validation", "train": "Training", "both": "Both"}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A group of selected runs with the color and line style that it has in every figure."""

    group: Group
    index: int

    @property
    def style(self) -> tuple[str, str]:
        return style_of(self.index)


def compared_groups(runs: Sequence[Run]) -> tuple[Compared, ...]:
    """The selected runs by group, in the order of the selection."""
    groups = group_runs(runs, changed_runs(store()))
    return tuple(Compared(group=group, index=index) for index, group in enumerate(groups))


def show_legend(compared: Sequence[Compared]) -> None:
    """Color, label and number of runs of every group, one legend for all figures."""
    chips = "".join(
        f"<span class='lab-chip'><i style='background:{one.style[0]}'></i>{html.escape(one.group.label)}"
        f"<small>{len(one.group.runs)} {'run' if len(one.group.runs) == 1 else 'runs'}</small></span>"
        for one in compared
    )
    st.html(f"<div class='lab-chips'>{chips}</div>")


def show_verdicts(compared: Sequence[Compared]) -> None:
    """What the seeds say about each pair of groups; nothing for a single group."""
    told = verdicts([one.group for one in compared], "test_accuracy", "test accuracy")
    for sentence in told[:MAX_VERDICTS]:
        st.markdown(plain(sentence))
    if len(told) > MAX_VERDICTS:
        rest = len(told) - MAX_VERDICTS
        st.caption(f"{rest} more under Groups. Of twenty equal pairs, one is expected to look different by chance.")


def show_curves(compared: Sequence[Compared], view: OverlayView) -> None:
    """Loss and accuracy of every run; they move by themselves while one of the runs is on."""
    _show_controls(view)
    on = any(run.is_open for one in compared for run in one.group.runs)
    st.fragment(_curves, run_every=LOOK_S if on else None)(tuple(compared), view)


def _curves(compared: Sequence[Compared], view: OverlayView) -> None:
    with shown_errors():
        _draw_again_where_one_ended([run for one in compared for run in one.group.runs if run.is_open])
        series = [_series(one) for one in compared]
        for column, quantity in zip(st.columns(2), _QUANTITIES, strict=True):
            with column:
                still_chart(overlay(series, quantity, view), key=f"runs_{quantity}")
        every = max((curves.every for one in series for _, curves in one.runs), default=1)
        notes = [
            "Band: mean ± Student's 95 % t-interval over the seeds, cut where no run has been."
            if _has_groups(series)
            else "",
            "Training is dotted." if view.split == "both" else "",
            f"Of the longest run every {every}th step is drawn." if view.every_step and every > 1 else "",
            "Drag in a chart to zoom, double-click to reset.",
        ]
        st.caption(" ".join(note for note in notes if note))


def _draw_again_where_one_ended(on: Sequence[Run]) -> None:
    """The whole page shows more of a run that is over; one may also have been deleted meanwhile."""
    now = runs_by_id(store(), [run.id for run in on]) if on else {}
    if any(run.id not in now or now[run.id].status != run.status or now[run.id].deleted for run in on):
        st.rerun()


_QUANTITIES: tuple[Quantity, ...] = ("loss", "accuracy")


def _has_groups(series: Sequence[Series]) -> bool:
    return any(len(one.runs) > 1 for one in series)


def _series(one: Compared) -> Series:
    color, dash = one.style
    runs = [(run.name, curves_of(run)) for run in one.group.runs]
    return Series(label=one.group.label, color=color, dash=dash, runs=runs)


def curves_of(run: Run) -> Curves:
    """The curves of a run as they are now, read once for all who look at this state of it."""
    fresh = store().get(run.id) if run.is_open else run
    return _read(run.id, (fresh.attempt, fresh.status, fresh.summary.get("step"), fresh.summary.get("stage")))


@st.cache_resource(show_spinner=False, max_entries=128)
def _read(run_id: str, state: tuple[Any, ...]) -> Curves:
    """`state` says how far the run is: another one is read anew."""
    return read_curves(store(), store().get(run_id))


def curves_table(runs: Sequence[Run]) -> bytes:
    """The curves of the runs as CSV."""
    return curves_csv({run.id: (run, curves_of(run)) for run in runs})


# Controls


def _show_controls(view: OverlayView) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="runs_view"):
        _segmented("Horizontal axis", _X_WORDS, "x", view.x, "epoch")
        _segmented("Images", _SPLIT_WORDS, "images", view.split, "validation")
        if view.split != "validation":
            _toggle("Training loss of single steps", "steps", on=view.every_step)
        _toggle("Logarithmic loss", "log", on=view.log_y)


def _segmented(label: str, words: dict[Any, str], name: str, value: str, default: str) -> None:
    key = f"runs_{name}"
    st.session_state[key] = value
    st.segmented_control(
        label,
        list(words),
        format_func=words.__getitem__,
        required=True,
        key=key,
        on_change=follow,
        args=(name, key, default),
    )


def _toggle(label: str, name: str, *, on: bool) -> None:
    key = f"runs_{name}"
    st.session_state[key] = on
    st.toggle(label, key=key, on_change=follow, args=(name, key, False))


def follow(name: str, key: str, default: object) -> None:
    """Callback: the address follows a widget; what is as by default does not stand in it."""
    value = st.session_state[key]
    if value == default or value is None:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = "1" if value is True else str(value)

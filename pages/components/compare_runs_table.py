"""The table of runs: one row a run with its curves in miniature, selected by its check box; it follows what is on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cnncore.catalog import DATASETS, MODELS
from cnncore.figures import theme
from cnncore.figures.intervals import wilson
from cnncore.runs.groups import DEFAULTS, SEED, setting_words, settings, value_text
from cnncore.runs.run import Run
from cnncore.runs.search import MAX_LISTED, Search, any_open, count_runs, find_runs
from pages.components.compare_runs_link import MAX_COMPARED, join_ids
from pages.components.lab import look_after, shown_errors, store
from pages.components.run_words import STATUS_LOOKS, fraction_done, known

LOOK_S, IDLE_LOOK_S = 3.0, 15.0
TABLE = "runs_table"
_ROWS = "runs_rows"
_ROW, _HEAD = 36, 40
_OWN_COLUMNS = ("model.name", "data.dataset", SEED)
"""Settings that have a column of their own."""

_CURVE_POINTS = 20
_SHARE = st.column_config.NumberColumn(format="percent")
_COLUMNS: dict[str, Any] = {
    "Run": st.column_config.TextColumn(width="medium", pinned=True),
    "Status": st.column_config.TextColumn(width="small"),
    "Loss": st.column_config.LineChartColumn(width="small", color=theme.TRAIN, help="Training loss until now"),
    "Accuracy": st.column_config.LineChartColumn(
        width="small",
        color=theme.VALIDATION,
        y_min=0,
        y_max=1,
        help="Accuracy after each epoch, from 0 to 100 %, on the validation images if there are any",
    ),
    "Validation": st.column_config.NumberColumn(format="percent", help="Best accuracy on the validation images"),
    "Test": st.column_config.NumberColumn(format="percent", help="Accuracy on the test images"),
    "95 %": st.column_config.TextColumn(
        width="small", help="Wilson's 95 % interval of the test accuracy, in percent: the test images are a sample"
    ),
    "Time, s": st.column_config.NumberColumn(format="localized", help="Training time, evaluation included"),
    "Parameters": st.column_config.NumberColumn(format="localized"),
    "Seed": st.column_config.NumberColumn(format="plain"),
    "Settings": st.column_config.TextColumn(width="large", help="Settings that are not the same in all of these runs"),
    "Begun": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
    "Open": st.column_config.LinkColumn(display_text="Open", width="small"),
}


def show_table(wanted: Search) -> None:
    """The runs that match, with those of the link selected; drawn again every few seconds."""
    moves = any_open(store())
    st.fragment(_table, run_every=LOOK_S if moves else IDLE_LOOK_S)(wanted, selected_ids(), moves)


def _table(wanted: Search, drawn: tuple[str, ...], moves: bool) -> None:
    with shown_errors():
        if selected_ids() != drawn or any_open(store()) != moves:
            st.rerun()
        runs = find_runs(store(), wanted)
        for run in [run for run in runs if run.is_open][:1]:
            look_after(run)
        if not runs:
            st.html("<div class='lab-empty'>No run matches these filters.</div>")
            return
        _draw(runs, drawn)
        _footer(wanted, len(runs))


def _draw(runs: Sequence[Run], selected: Sequence[str]) -> None:
    ids = tuple(run.id for run in runs)
    _select(ids, selected)
    # The callback learns what the rows meant when they were drawn; a new run shifts them.
    st.session_state[_ROWS] = ids
    st.dataframe(
        run_table(runs),
        key=TABLE,
        hide_index=True,
        height=_HEAD + _ROW * (5 if len(runs) <= 5 else 10),
        row_height=_ROW,
        column_config=_COLUMNS,
        selection_mode="multi-row",
        on_select=_choose,
    )


def selected_ids() -> tuple[str, ...]:
    """The runs that the address names, as it has them."""
    return tuple(part for part in st.query_params.get("runs", "").split(",") if part)


def select(ids: Sequence[str]) -> None:
    """Write the selection into the address; the table follows it."""
    if ids:
        st.query_params["runs"] = join_ids(ids)
    else:
        st.query_params.pop("runs", None)


def _select(ids: Sequence[str], selected: Sequence[str]) -> None:
    """Let the table's check boxes show the selection, whichever rows the runs are in now."""
    rows = [place for place, run_id in enumerate(ids) if run_id in selected]
    shown = st.session_state.get(TABLE, {}).get("selection", {}).get("rows", [])
    if sorted(shown) != rows:
        st.session_state[TABLE] = {"selection": {"rows": rows, "columns": []}}


def _choose() -> None:
    """A check box was clicked: runs that the filters hide stay selected, new ones come last."""
    ids: tuple[str, ...] = st.session_state[_ROWS]
    picked = [ids[row] for row in st.session_state[TABLE]["selection"]["rows"] if row < len(ids)]
    kept = [run_id for run_id in selected_ids() if run_id not in ids or run_id in picked]
    both = list(dict.fromkeys([*kept, *picked]))
    if len(both) > MAX_COMPARED:
        st.toast(f"At most {MAX_COMPARED} runs are compared at once.", icon=":material/info:")
    select(both[:MAX_COMPARED])


def _footer(wanted: Search, shown: int) -> None:
    total = count_runs(store(), wanted) if shown == MAX_LISTED else shown
    more = f", the newest of {total:,}; narrow the filters to see the others" if total > shown else ""
    st.caption(f"{shown:,} {'run' if shown == 1 else 'runs'}{more}")


def run_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row a run; accuracies from 0 to 1, times in seconds."""
    found = [settings(run.config) for run in runs]
    told = _told(found)
    table = pd.DataFrame([_row(run, own, told) for run, own in zip(runs, found, strict=True)])
    return table.astype(dict.fromkeys(_NUMBERS, "float64"))


_NUMBERS = ("Validation", "Test", "Time, s", "Parameters", "Seed")


def _told(found: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The settings that are not the same in all runs, else those that differ from the defaults."""
    first = DEFAULTS if len(found) == 1 else found[0]
    names = dict.fromkeys(name for own in found for name in own)
    return tuple(
        name for name in names if name not in _OWN_COLUMNS and any(own.get(name) != first.get(name) for own in found)
    )


def _row(run: Run, own: Mapping[str, Any], told: Sequence[str]) -> dict[str, Any]:
    summary = run.summary
    model, dataset = MODELS.get(own["model.name"]), DATASETS.get(own["data.dataset"])
    count = summary.get("test_count") or 0
    low, high = wilson(summary.get("test_correct", 0), count)
    return {
        "Run": run.name,
        "Status": _status(run),
        "Network": model.title if model else own["model.name"],
        "Data": dataset.title.partition(",")[0] if dataset else own["data.dataset"],
        "Loss": _curve(run, "spark_loss"),
        "Accuracy": _curve(run, "spark_accuracy"),
        "Validation": _number(run, "best_val_accuracy"),
        "Test": _number(run, "test_accuracy"),
        "95 %": f"{100 * low:.1f}–{100 * high:.1f}" if count else "",
        "Time, s": _number(run, "elapsed_s", digits=1),
        "Parameters": _number(run, "num_params"),
        "Seed": own[SEED],
        "Settings": " · ".join(f"{setting_words(name)} {value_text(own.get(name))}" for name in told),
        "Tags": list(run.tags),
        "Begun": pd.Timestamp(run.started or run.created, unit="s").floor("s"),
        "Open": f"train?run={run.id}",
    }


def _status(run: Run) -> str:
    label = STATUS_LOOKS[run.status].label
    return f"{label} {100 * fraction_done(run):.0f} %" if run.status == "running" else label


def _number(run: Run, name: str, digits: int = 6) -> float | None:
    value = run.summary.get(name)
    return round(value, digits) if value is not None and known(value) else None


def _curve(run: Run, name: str) -> list[float]:
    """The curve with few points: a thousand runs are sent at once."""
    values = run.summary.get(name) or ()
    every = max(1, len(values) // _CURVE_POINTS)
    return [round(value, 4) for value in values[::every] if known(value)]

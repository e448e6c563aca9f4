"""The table of runs: one row a run with its curves in miniature, selected by its check box; it follows what is on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cnncore.catalog import DATASETS, MODELS
from cnncore.config import TrainConfig
from cnncore.figures import theme
from cnncore.figures.intervals import wilson
from cnncore.runs.groups import DEFAULTS, SEED, seed_of, setting_words, value_text
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
_HUGE = 1e30
_COLUMNS: dict[str, Any] = {
    "Run": st.column_config.TextColumn(width="medium", pinned=True),
    "Status": st.column_config.TextColumn(width=105),
    "Loss": st.column_config.LineChartColumn(width="small", color=theme.TRAIN, help="Training loss until now"),
    "Accuracy": st.column_config.LineChartColumn(
        width="small",
        color=theme.VALIDATION,
        y_min=0,
        y_max=1,
        help="Accuracy after each epoch, from 0 to 100 %, on the validation images if there are any",
    ),
    "Validation": st.column_config.NumberColumn(format="%.1f %%", help="Best accuracy on the validation images"),
    "Test": st.column_config.NumberColumn(format="%.1f %%", help="Accuracy on the test images"),
    "95 %": st.column_config.TextColumn(
        width="small", help="Wilson's 95 % interval of the test accuracy, in percent: the test images are a sample"
    ),
    "Time, s": st.column_config.NumberColumn(format="%.1f", help="Training time, evaluation included"),
    "Parameters": st.column_config.NumberColumn(format="localized"),
    "Seed": st.column_config.NumberColumn(format="plain"),
    "Settings": st.column_config.TextColumn(width="large", help="Settings in which a run differs from most of these"),
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
    begun = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone=st.context.timezone)
    table = run_table(runs)
    table[list(_SHARES)] *= 100
    st.dataframe(
        table,
        key=TABLE,
        hide_index=True,
        placeholder="–",
        height=_HEAD + _ROW * (5 if len(runs) <= 5 else 10),
        row_height=_ROW,
        column_config=_COLUMNS | {"Begun": begun},
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
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{shown:,} {'run' if shown == 1 else 'runs'}{more}", width="content")
        st.download_button(
            "This list as CSV",
            lambda: _list_csv(wanted),
            file_name="runs.csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            key="runs_get_table",
        )


def _list_csv(wanted: Search) -> bytes:
    """The listed runs without their small curves."""
    runs = find_runs(store(), wanted)
    table = run_table(runs).drop(columns=["Loss", "Accuracy", "Open"])
    table.insert(0, "id", [run.id for run in runs])
    table["Tags"] = [", ".join(run.tags) for run in runs]
    return table.to_csv(index=False).encode()


def run_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row a run; accuracies from 0 to 1, times in seconds."""
    usual = _usual([run.config for run in runs])
    table = pd.DataFrame([_row(run, usual) for run in runs])
    table["Begun"] = pd.to_datetime(table["Begun"].round(), unit="s", utc=True)
    return table.astype(dict.fromkeys(_NUMBERS, "float64"))


_SHARES = ("Validation", "Test")
_NUMBERS = ("Validation", "Test", "Time, s", "Parameters", "Seed")
Setting = tuple[str, str]
"""Section and name."""


def _usual(configs: Sequence[Mapping[str, Any]]) -> dict[Setting, str]:
    """The settings that are not the same in all runs, each with its most frequent value; of one run the defaults."""
    usual: dict[Setting, str] = {}
    for section in TrainConfig.model_fields:
        parts: list[Mapping[str, Any]] = [config.get(section) or {} for config in configs]
        # Most sections are the same everywhere, which is seen at once.
        if len(parts) > 1 and all(part == parts[0] for part in parts):
            continue
        for name in sorted(set[str]().union(*parts)):
            default = DEFAULTS.get(f"{section}.{name}")
            values = [part.get(name, default) for part in parts]
            first = default if len(values) == 1 else values[0]
            if f"{section}.{name}" not in _OWN_COLUMNS and any(value != first for value in values):
                among = [default] if len(values) == 1 else values
                usual[section, name] = Counter(value_text(value, f"{section}.{name}") for value in among).most_common(
                    1
                )[0][0]
    return usual


def _settings(config: Mapping[str, Any], usual: Mapping[Setting, str]) -> str:
    told: list[str] = []
    for (section, name), most in usual.items():
        dotted = f"{section}.{name}"
        text = value_text((config.get(section) or {}).get(name, DEFAULTS.get(dotted)), dotted)
        told += [f"{setting_words(dotted)} {text}"] if text != most else []
    return " · ".join(told)


def _row(run: Run, usual: Mapping[Setting, str]) -> dict[str, Any]:
    summary = run.summary
    model, dataset = ((run.config.get(section) or {}).get(name, "") for section, name in _WHAT)
    count = summary.get("test_count") or 0
    low, high = wilson(summary.get("test_correct", 0), count)
    return {
        "Run": run.name,
        "Status": _status(run),
        "Network": MODELS[model].title if model in MODELS else model,
        "Data": DATASETS[dataset].title.partition(",")[0] if dataset in DATASETS else dataset,
        "Loss": _curve(run, "spark_loss"),
        "Accuracy": _curve(run, "spark_accuracy"),
        "Validation": _number(run, "best_val_accuracy"),
        "Test": _number(run, "test_accuracy"),
        "95 %": f"{100 * low:.1f}–{100 * high:.1f}" if count else "",
        "Time, s": _number(run, "elapsed_s"),
        "Parameters": _number(run, "num_params"),
        "Seed": seed_of(run),
        "Settings": _settings(run.config, usual),
        "Tags": run.tags,
        "Begun": run.started or run.created,
        "Open": f"train?run={run.id}",
    }


_WHAT = (("model", "name"), ("data", "dataset"))


def _status(run: Run) -> str:
    label = STATUS_LOOKS[run.status].label
    return f"{label} {100 * fraction_done(run):.0f} %" if run.status == "running" else label


def _number(run: Run, name: str) -> float | None:
    value = run.summary.get(name)
    return value if known(value) else None


def _curve(run: Run, name: str) -> list[float]:
    """The curve with few points: a thousand runs are sent at once."""
    values = run.summary.get(name) or ()
    every = -(-len(values) // _CURVE_POINTS) or 1
    # What is not a number fails both comparisons.
    return [value for value in values[::every] if value is not None and -_HUGE < value < _HUGE]

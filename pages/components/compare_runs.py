"""The Runs view of Compare: every run in a filtered table, the selected ones over each other; all of it in the link."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from cnncore.catalog import DATASETS, MODELS
from cnncore.config import preset
from cnncore.runs.run import Run
from cnncore.runs.search import ORDERS, Choices, Search, choices, runs_by_id
from pages.components.clicks import clicked
from pages.components.compare_runs_actions import UNDO, show_actions
from pages.components.compare_runs_curves import (
    compared_groups,
    curves_table,
    follow,
    show_curves,
    show_legend,
    show_verdicts,
)
from pages.components.compare_runs_link import MAX_TEXT, Asked, read_asked
from pages.components.compare_runs_results import show_details
from pages.components.compare_runs_table import show_table
from pages.components.exports import draw_exports
from pages.components.import_weights import draw_import
from pages.components.lab import restore_runs, start_run, store
from pages.components.navigation import TRAIN, open_run
from pages.components.run_words import STATUS_LOOKS
from pages.components.wording import plain

QUICK_PRESET = "lenet_20s"


def show_runs() -> None:
    """The view that the address describes."""
    known = choices(store())
    asked = read_asked(st.query_params.to_dict(), known)
    if asked.problems:
        st.warning("\n".join(f"- {plain(problem)}" for problem in asked.problems), icon=":material/link_off:")
    if not known.statuses and not asked.selected and UNDO not in st.session_state:
        _show_empty()
        return
    runs = _selected(asked)
    _show_filters(asked.search, known)
    show_table(asked.search)
    show_actions(runs)
    if runs:
        _show_comparison(runs, asked)
        _show_downloads(runs)


def _show_empty() -> None:
    with st.container(border=True):
        st.subheader("No runs yet", anchor=False)
        st.markdown(
            "Every network that is trained appears here, to be compared with the others by its curves and results."
        )
        with st.container(horizontal=True):
            if clicked("LeNet in 20 seconds", key="runs_quick", type="primary", icon=":material/play_arrow:"):
                open_run(start_run(preset(QUICK_PRESET)))
            st.page_link(TRAIN, label="Choose network and data", icon=":material/model_training:")
            draw_import()


def _selected(asked: Asked) -> list[Run]:
    """The runs of the link that exist, in its order; of the others it is said what became of them."""
    found = runs_by_id(store(), asked.selected)
    gone = [found[run_id] for run_id in asked.selected if run_id in found and found[run_id].deleted is not None]
    unknown = [run_id for run_id in asked.selected if run_id not in found]
    just_deleted = st.session_state.get(UNDO, ())
    for run in gone:
        if run.id in just_deleted:
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(f"The run {plain(run.name)} was deleted.", icon=":material/link_off:")
            st.button("Restore it", key=f"runs_restore_{run.id}", on_click=_restore, args=(run.id,))
    if unknown:
        st.warning(
            f"There {'is no run' if len(unknown) == 1 else 'are no runs'} {', '.join(unknown[:3])}"
            f"{f' and {len(unknown) - 3} more' if len(unknown) > 3 else ''} here; deleted for good, or of another lab.",
            icon=":material/link_off:",
        )
    return [found[run_id] for run_id in asked.selected if run_id in found and found[run_id].deleted is None]


def _restore(run_id: str) -> None:
    restore_runs([run_id])


# Filters


def _show_filters(search: Search, known: Choices) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="runs_filters"):
        st.session_state["runs_q"] = search.text
        st.text_input(
            "Find",
            type="search",
            key="runs_q",
            max_chars=MAX_TEXT,
            placeholder="name, tag or id",
            width=190,
            on_change=follow,
            args=("q", "runs_q", ""),
        )
        _filter("Network", "model", search.model, known.models, _model_title)
        _filter("Data set", "dataset", search.dataset, known.datasets, _dataset_title)
        _filter("Status", "status", search.status, known.statuses, lambda name: STATUS_LOOKS[name].label)
        if known.tags:
            _filter("Tag", "tag", search.tag, known.tags, str)
        st.session_state["runs_sort"] = search.sort
        st.selectbox(
            "Order",
            list(ORDERS),
            format_func=lambda name: ORDERS[name][0],
            key="runs_sort",
            width=170,
            on_change=follow,
            args=("sort", "runs_sort", "newest"),
        )
        draw_import()


def _filter(label: str, name: str, value: str, options: Sequence[str], words: Callable[[str], str]) -> None:
    key = f"runs_{name}"
    st.session_state[key] = value
    st.selectbox(
        label,
        list(dict.fromkeys(["", *options, value])),
        format_func=lambda option: words(option) if option else "all",
        key=key,
        width=170,
        on_change=follow,
        args=(name, key, ""),
    )


def _model_title(name: str) -> str:
    return MODELS[name].title if name in MODELS else name


def _dataset_title(name: str) -> str:
    return DATASETS[name].title.partition(",")[0] if name in DATASETS else name


# The selection


def _show_comparison(runs: Sequence[Run], asked: Asked) -> None:
    compared = compared_groups(runs)
    show_legend(compared)
    show_verdicts(compared)
    show_curves(compared, asked.curves)
    st.download_button(
        "These curves as CSV",
        lambda: curves_table(runs),
        file_name="curves.csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key="runs_get_curves",
    )
    show_details(compared, asked.detail)


def _show_downloads(runs: Sequence[Run]) -> None:
    st.subheader(f"Download {'this run' if len(runs) == 1 else f'these {len(runs)} runs'}", anchor=False)
    draw_exports([run.id for run in runs], "runs")

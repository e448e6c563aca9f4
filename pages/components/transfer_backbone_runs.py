"""Networks trained or imported in this lab as backbones."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from cnncore.catalog import DATASETS, MODELS
from cnncore.errors import RunError
from cnncore.runs.run import Run
from pages.components.lab import store
from pages.components.navigation import TRAIN
from pages.components.run_list import runs_with_weights
from pages.components.run_words import facts_words
from pages.components.transfer_backbone_choice import choose, choose_and_train
from pages.components.transfer_link import param
from pages.components.wording import plain

_ROWS, _SHOWN = "transfer_runs_rows", "transfer_runs_shown"


def show_runs() -> None:
    """The runs that saw color images and have weights, and the chosen one."""
    runs = [run for run in runs_with_weights() if sees_color(run)]
    chosen = _chosen()
    if not runs and chosen is None:
        st.html(
            "<div class='lab-empty'>Networks that you train on color images, or import, appear here and can lend their "
            "stages to another task.</div>"
        )
        st.page_link(TRAIN, label="Train or import a network", icon=":material/model_training:", query_params={})
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _draw_table(runs, chosen)
    with right:
        _draw_chosen(chosen)


def sees_color(run: Run) -> bool:
    """Whether a run's network takes color images, as all image sets are."""
    data = run.config.get("data", {})
    spec = DATASETS.get(data.get("dataset", ""))
    return run.config.get("model", {}).get("name") in MODELS and spec is not None and spec.in_shape[0] == 3


def _chosen() -> Run | None:
    """The run of the link."""
    if not param("from"):
        return None
    try:
        run = store().get(param("from"))
    except RunError as error:
        st.warning(plain(f"{error.message} {error.hint}".strip()), icon=":material/link_off:")
        return None
    if not sees_color(run):
        st.warning(
            f"{plain(run.name)} learned from gray images and cannot see color; choose another run.",
            icon=":material/palette:",
        )
        return None
    return run


def _draw_table(runs: list[Run], chosen: Run | None) -> None:
    ids = [run.id for run in runs]
    st.session_state[_SHOWN] = ids
    rows = [ids.index(chosen.id)] if chosen and chosen.id in ids else []
    st.session_state[_ROWS] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    st.dataframe(
        pd.DataFrame([_row(run) for run in runs]),
        hide_index=True,
        column_config=_COLUMNS,
        placeholder="",
        on_select=_select,
        selection_mode="single-row",
        key=_ROWS,
        alt="Runs of this lab that can be a backbone",
    )


def _row(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "network": MODELS[run.config["model"]["name"]].title,
        "images": DATASETS[run.config["data"]["dataset"]].title if run.summary.get("num_train") else "imported",
        "accuracy": run.summary.get("test_accuracy", run.summary.get("best_val_accuracy")),
        "params": run.summary.get("num_params"),
        "created": pd.to_datetime(run.created, unit="s"),
    }


def _select() -> None:
    rows = st.session_state[_ROWS]["selection"]["rows"]
    if rows:
        choose(run=st.session_state[_SHOWN][rows[0]])


def _draw_chosen(run: Run | None) -> None:
    if run is None:
        st.html("<div class='lab-empty'>Choose a run; its facts appear here.</div>")
        return
    with st.container(border=True, key="transfer_backbone_card"):
        st.subheader(plain(run.name), anchor=False)
        st.caption(plain(facts_words(run)))
        st.html(
            "<div class='lab-note'>Your images are prepared the way this network's own were. Its stages keep what they "
            "learned; a new head learns your classes.</div>"
        )
        st.button(
            "Next: train",
            key="transfer_to_train",
            type="primary",
            icon=":material/arrow_forward:",
            width="stretch",
            on_click=choose_and_train,
            kwargs={"run": run.id},
        )


_COLUMNS = {
    "name": st.column_config.TextColumn("Run", pinned=True),
    "network": st.column_config.TextColumn("Network"),
    "images": st.column_config.TextColumn("Learned from"),
    "accuracy": st.column_config.NumberColumn(
        "Accuracy", format="percent", help="On its test images, else validation."
    ),
    "params": st.column_config.NumberColumn("Parameters", format="compact"),
    "created": st.column_config.DatetimeColumn("Made", format="distance"),
}

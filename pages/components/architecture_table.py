"""The table of the networks: what they cost, what their papers report, and what they have reached here."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnncore.catalog import MODELS
from cnncore.figures.architectures import architecture_table, protocols
from pages.components.architectures_link import FIXED_DATASETS, Choices
from pages.components.architectures_state import bind, choose, download, follow, own_best, widget_key

_MOST_ROWS, _HEIGHT = 11, 420
"""Rows after which the table scrolls, and its height in pixels then: what a chosen row brings stays in sight below."""
_SHOWN = "architectures_shown"


def draw_protocol(choices: Choices) -> None:
    """Which published results are meant; nothing while no network has one."""
    names = {name: f"{dataset}, {how}" for name, (dataset, how) in protocols().items()}
    if names:
        st.selectbox(
            "Published results",
            list(names),
            format_func=names.__getitem__,
            key=bind("protocol", choices),
            on_change=follow,
            help="Data set and how it was measured. Results of one crop, ten crops and many crops are never mixed.",
            width=260,
        )


def draw_dataset(choices: Choices) -> None:
    """Which own results are meant."""
    st.selectbox(
        "Own results on",
        list(FIXED_DATASETS),
        format_func=lambda key: FIXED_DATASETS[key].title,
        key=bind("dataset", choices),
        on_change=follow,
        help="The best test accuracy that a finished run here has reached with the network on this data set.",
        width=220,
    )


def draw_table(choices: Choices, keys: list[str]) -> None:
    """One row a network; the row that is chosen is told in detail below."""
    table = architecture_table(keys, choices.measure(), choices.dataset, own_best())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        draw_protocol(choices)
        draw_dataset(choices)
    st.session_state[_SHOWN] = keys
    rows = [keys.index(choices.net)] if choices.net in keys else []
    st.session_state[widget_key("rows")] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    columns = [name for name in COLUMNS if name not in _empty(table)]
    st.dataframe(
        _shown(table),
        hide_index=True,
        column_order=columns,
        column_config=COLUMNS,
        height="content" if len(keys) <= _MOST_ROWS else _HEIGHT,
        placeholder="",
        on_select=_select,
        selection_mode="single-row",
        key=widget_key("rows"),
        alt="The networks with their size, cost and accuracy",
    )
    # Below the table, since its own tools appear above it.
    download(table, "architectures", label="This table as CSV")
    st.html(f"<div class='lab-note'>{_note(choices)}</div>")


def _select() -> None:
    rows = st.session_state[widget_key("rows")]["selection"]["rows"]
    choose(net=st.session_state[_SHOWN][rows[0]] if rows else "")


def _empty(table: pd.DataFrame) -> set[str]:
    """Columns that would stand there without a single number."""
    empty = {name for name in ("top1", "top5", "own", "params_and_statistics") if all(table[name].isna())}
    return empty | ({"run"} if "own" in empty else set())


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(run=table["run"].map(lambda run: f"/train?run={run}" if run else None))


def _note(choices: Choices) -> str:
    dataset, how = choices.measure()
    published = f"top-1 and top-5 as published for {dataset}, {how}" if dataset else "no published results yet"
    return (
        "Parameters include auxiliary heads, MACs do not: the heads are there while training only. Choose a row for "
        f"the network's layers, sources and what it gets confused with. Shown: {published}. "
        f"{len(MODELS)} networks in all; each column sorts by a click on its name."
    )


_number = st.column_config.NumberColumn
COLUMNS = {
    "network": st.column_config.TextColumn("Network", pinned=True, width=210),
    "family": st.column_config.TextColumn("Family", width=100),
    "year": _number("Year", format="%d", width=58),
    "depth": _number(
        "Depth", width=62, help="Layers with weights on the longest way from image to class, as papers count them."
    ),
    "params": _number(
        "Parameters", format="localized", width=108, help="Numbers that are trained, auxiliary heads included."
    ),
    "gmacs": _number(
        "GMACs",
        format="%.4g",
        width=76,
        help="Billions of multiply-accumulates of one image. Papers often call them FLOPs; FLOPs = 2 × MACs.",
    ),
    "image": _number("Image", format="%d px", width=70, help="Height and width of the images the numbers hold for."),
    "memory_mb": _number(
        "Memory",
        format="%.3g MB",
        width=84,
        help="What one image takes while training, in fp32: the values that are kept for the backward pass.",
    ),
    "receptive_field": _number(
        "Sees",
        format="%d px",
        width=72,
        help="Receptive field: pixels along a side that one output of the last convolution depends on. It may be "
        "larger than the image.",
    ),
    "top1": _number("Top-1", format="%.2f %%", width=76, help="Published: the first guess is right."),
    "top5": _number("Top-5", format="%.2f %%", width=76, help="Published: one of the first five guesses is right."),
    "own": _number("Own", format="%.2f %%", width=76, help="Best test accuracy of a finished run here."),
    "run": st.column_config.LinkColumn("Run", display_text="open", width=56, help="The run that reached it."),
    "params_and_statistics": _number(
        "With statistics",
        format="localized",
        width=108,
        help="Parameters and the running averages of batch normalization. Keras counts both together; torch counts "
        "only what is trained.",
    ),
}
"""The columns in their order, by their name in the table."""

"""Compare, Architectures: the classic networks by size, cost and accuracy; the link holds the whole state."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cnncore.catalog import FAMILIES, MODELS
from cnncore.figures.architectures import matching
from pages.components.architecture_charts import draw_cost, draw_parameters, draw_timeline
from pages.components.architecture_details import draw_details
from pages.components.architecture_table import draw_table
from pages.components.architectures_link import TABS, Choices, read_choices
from pages.components.architectures_state import bind, choose, follow
from pages.components.config_form import show_notices

FILTERED = ("table", "cost")
"""The parts that show the networks the filter lets through."""


def draw_architectures() -> None:
    """The view as the link asks for it."""
    choices, problems = read_choices(st.query_params.to_dict())
    show_notices(problems)
    with st.container(key="architectures_bar", gap="small"):
        st.segmented_control(
            "Part of the view",
            list(TABS),
            format_func=lambda name: TABS[name],
            required=True,
            label_visibility="collapsed",
            key=bind("tab", choices),
            on_change=follow,
        )
        if choices.tab in FILTERED:
            _draw_filter(choices)
    keys = matching(choices.families, choices.text) if choices.tab in FILTERED else list(MODELS)
    if keys:
        PARTS[choices.tab](choices, keys)
    else:
        _draw_nothing_found()
    if choices.tab != "timeline":
        draw_details(choices)


PARTS: dict[str, Callable[[Choices, list[str]], None]] = {
    "table": draw_table,
    "cost": draw_cost,
    "timeline": draw_timeline,
    "parameters": draw_parameters,
}


def _draw_filter(choices: Choices) -> None:
    present = {spec.family for spec in MODELS.values()}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.pills(
            "Families",
            [family for family in FAMILIES if family in present],
            format_func=lambda family: FAMILIES[family],
            selection_mode="multi",
            label_visibility="collapsed",
            key=bind("families", choices),
            on_change=follow,
            wrap=True,
        )
        st.text_input(
            "Search",
            placeholder="Search by name, year, author",
            label_visibility="collapsed",
            key=bind("text", choices),
            on_change=follow,
            width=240,
            max_chars=100,
        )


def _draw_nothing_found() -> None:
    st.html("<div class='lab-empty'>No network fits this filter.</div>")
    st.button("Show all networks", key="architectures_clear", on_click=lambda: choose(families=(), text=""))

"""The networks as charts: accuracy against cost, the challenge year by year, where parameters and work sit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from cnncore.answers import Answer
from cnncore.catalog import DATASETS, MODELS
from cnncore.catalog.ilsvrc import HUMAN_TOP5_ERROR
from cnncore.catalog.zoo import zoo
from cnncore.figures.cost_shares import cost_bars, cost_table, treemap
from cnncore.figures.timeline import timeline, winners_table
from cnncore.figures.tradeoff import COSTS, comparable_ms, own_table, published_table, tradeoff
from pages.components.architecture_layers import ask_layers
from pages.components.architecture_table import draw_dataset, draw_protocol
from pages.components.architectures_link import LENGTHS, MOST_NETS, QUANTITIES, SCORES, Choices
from pages.components.architectures_state import bind, download, follow, own_best, own_latencies
from pages.components.live_chart import still_chart
from pages.components.waiting import fill_in
from pages.components.wording import threads_text

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

_PERCENT = st.column_config.NumberColumn(format="%.2f %%")


def draw_cost(choices: Choices, keys: list[str]) -> None:
    """Accuracy against cost, with the front of the networks that nothing beats."""
    measured, newest = comparable_ms(own_latencies())
    choices = _possible(choices, measured)
    table = _tradeoff_table(choices, keys, measured)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _switch("Accuracy", "y", SCORES, choices)
        _switch("Against", "x", _costs(choices, measured), choices)
        (draw_dataset if choices.y == "own" else draw_protocol)(choices)
    still_chart(tradeoff(table, COSTS[choices.x].axis, _score_name(choices), choices.net), key="architectures_tradeoff")
    st.html(f"<div class='lab-note'>{_tradeoff_note(choices, keys, table)}</div>")
    if choices.x == "latency" and newest:
        st.caption(
            f"Median time of one image, forward only: {newest.device_name}, {newest.precision}, "
            f"{threads_text(newest.threads)}. "
            "Networks that were not measured so are missing; their details have a button."
        )
    if not measured and choices.y != "own":
        st.caption("Latency joins the axes once a network was measured here: “Measure latency” in its details.")
    _behind(
        table.drop(columns=["key", "family"]).rename(columns={"score": "accuracy", "front": "nothing beats it"}),
        "accuracy-and-cost",
        {"accuracy": _PERCENT, "cost": st.column_config.NumberColumn(COSTS[choices.x].title, format="localized")},
    )


def _costs(choices: Choices, measured: Mapping[str, float]) -> dict[str, str]:
    """The axes that there is something to say on; latencies are those of the published forms."""
    known = {name: axis.title for name, axis in COSTS.items() if choices.y != "own" or axis.own}
    return known if measured else {name: title for name, title in known.items() if name != "latency"}


def _possible(choices: Choices, measured: Mapping[str, float]) -> Choices:
    if choices.x in _costs(choices, measured):
        return choices
    st.caption("Latencies are known of published forms measured on this machine only; MACs are shown instead.")
    return replace(choices, x="macs")


def _switch(label: str, name: str, titles: dict[str, str], choices: Choices) -> None:
    st.segmented_control(
        label,
        list(titles),
        format_func=lambda key: titles[key],
        required=True,
        key=bind(name, choices),
        on_change=follow,
        wrap=True,
    )


def _tradeoff_table(choices: Choices, keys: list[str], measured: Mapping[str, float]) -> pd.DataFrame:
    if choices.y == "own":
        return own_table(keys, choices.x, choices.dataset, own_best())
    return published_table(keys, choices.x, choices.y, choices.measure(), measured)


def _score_name(choices: Choices) -> str:
    if choices.y == "own":
        return f"test accuracy on {DATASETS[choices.dataset].title}"
    dataset, how = choices.measure()
    return f"{choices.y.replace('top', 'top-')} on {dataset}, {how}"


def _tradeoff_note(choices: Choices, keys: list[str], table: pd.DataFrame) -> str:
    note = (
        "The dotted line is the Pareto front: no network of this selection is as accurate at the same or a lower cost. "
        "Nothing else follows from it: recipes differ as much as networks do."
    )
    if choices.y != "own":
        return f"{note} Results measured in another way, for example with ten crops, stand in a chart of their own."
    left_out = sum((key, choices.dataset) in own_best() for key in keys) - len(table)
    if left_out:
        note += f" {left_out} left out, since the best run changed the network's options or the size of the images."
    return f"{note} The best finished run of each network; some were trained for longer than others."


def draw_timeline(choices: Choices, keys: list[str]) -> None:
    """The ImageNet challenge from 2010 to 2015."""
    still_chart(timeline(), key="architectures_timeline")
    st.html(
        "<div class='lab-note'>These are test errors of whole entries, mostly several networks and many crops an "
        "image, so they are lower than what one network reaches with one crop. AlexNet did not beat people: one "
        f"trained person had {HUMAN_TOP5_ERROR} % on 1,500 of the images, and the first winner below that came "
        "in 2015. Depth alone is not the reason: without shortcuts, networks beyond some twenty layers get worse on "
        "their training images too.</div>"
    )
    table = winners_table().drop(columns="family")
    config = {
        "year": st.column_config.NumberColumn("Year", format="%d", width="small"),
        "top5_error": st.column_config.NumberColumn("Top-5 error", format="%.2f %%"),
        "source": st.column_config.TextColumn("Source", width="large"),
    }
    _behind(table, "challenge", config)
    st.caption(
        "Errors to 2014 and people's: Russakovsky et al., ImageNet large scale visual recognition challenge, 2015. "
        "2015: He et al., Deep residual learning, Table 5."
    )


def draw_parameters(choices: Choices, keys: list[str]) -> None:
    """Where parameters sit and work is done: the chosen networks as bars, one of them as a treemap."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.multiselect(
            "Networks",
            keys,
            format_func=lambda key: MODELS[key].title,
            max_selections=MOST_NETS,
            key=bind("nets", choices),
            on_change=follow,
            width="stretch",
        )
        _switch("Length", "length", LENGTHS, choices)
    table = cost_table(choices.nets)
    share = choices.length == "share"
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Parameters**, from the first layer to the last")
        still_chart(cost_bars(table, "params", share=share), key="architectures_bars_params")
    with right:
        st.markdown("**Multiply-accumulates** of one image")
        still_chart(cost_bars(table, "macs", share=share), key="architectures_bars_macs")
    st.html(
        "<div class='lab-note'>Dense layers hold most parameters of the older networks, convolutions do most of the "
        "work, since a filter's weights are used at every position. Auxiliary heads work while training only.</div>"
    )
    _behind(table.drop(columns="key"), "parameters-and-work", {})
    _draw_treemap(choices, keys)


def _draw_treemap(choices: Choices, keys: list[str]) -> None:
    st.subheader("One network, layer by layer", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Network",
            keys,
            format_func=lambda key: MODELS[key].title,
            key=bind("of", choices),
            on_change=follow,
            width=320,
        )
        _switch("Area", "quantity", QUANTITIES, choices)
    fill_in("architectures_treemap", lambda: _draw_areas(choices))


def _draw_areas(choices: Choices) -> None:
    reply = ask_layers("architectures_treemap", choices.of)
    quantity = "macs" if choices.quantity == "macs" else "params"
    rows = _layers(reply.answer) if reply.answer and not reply.pending else _stages(choices.of)
    still_chart(treemap(MODELS[choices.of].title, rows, quantity), key="architectures_areas")
    if reply.error:
        st.caption(f"Stages only: {reply.error.message} {reply.error.hint}")


def _layers(answer: Answer) -> list[dict[str, Any]]:
    return answer.data["layers"]


def _stages(key: str) -> list[dict[str, Any]]:
    """What is known of the layers until the service has answered."""
    costs = zoo()[key].costs if key in zoo() else ()
    return [
        {"name": f"{cost.stage}.{cost.kind}", "kind": cost.kind, "num_params": cost.num_params, "macs": cost.macs}
        for cost in costs
    ]


def _behind(table: pd.DataFrame, name: str, config: Mapping[str, ColumnConfig]) -> None:
    """The table behind a chart."""
    with st.expander("These numbers as a table", icon=":material/table:"):
        st.dataframe(table, hide_index=True, column_config=config, placeholder="", key=f"architectures_{name}")
        download(table, name)

"""All about one network: what it costs, what is said of it, its results and its layers."""

from __future__ import annotations

import html

import pandas as pd
import streamlit as st

from cnncore.catalog import DATASETS, FAMILIES, MODELS, PRESETS, ModelSpec, at_hand
from cnncore.catalog.zoo import Summary, zoo
from cnncore.config import preset
from cnncore.figures.architectures import layer_table, own_results_table, results_table
from cnncore.figures.theme import FAMILY_COLORS
from pages.components.architecture_layers import ask_layers, published_shape
from pages.components.architectures_link import FIXED_DATASETS, Choices
from pages.components.architectures_state import bind, choose, download, follow, own_best, own_latencies
from pages.components.clicks import clicked
from pages.components.lab import data_root
from pages.components.latency_view import choose_latency
from pages.components.navigation import COMPARE, TRAIN
from pages.components.network_graph import draw_network
from pages.components.waiting import fill_in
from pages.components.wording import bytes_text, compact, threads_text

_PERCENT = st.column_config.NumberColumn(format="%.2f %%")
_LAYER_ROWS = 420


def draw_details(choices: Choices) -> None:
    """The network of the link; where there is no table to choose one from, a choice."""
    if choices.tab != "table":
        st.selectbox(
            "Details of",
            list(MODELS),
            format_func=lambda key: MODELS[key].title,
            index=None,
            placeholder="a network",
            key=bind("net", choices),
            on_change=follow,
            width=320,
        )
    if not choices.net:
        return
    spec = MODELS[choices.net]
    with st.container(border=True, key="architectures_details"):
        _draw_head(choices.net, spec)
        _draw_costs(choices.net, spec)
        left, right = st.columns(2, gap="medium")
        with left:
            _draw_words(spec)
        with right:
            _draw_results(choices.net)
        fill_in("architectures_layers", lambda: _draw_layers(choices.net))
        st.markdown("**Drawing**: open a block to see what is in it, choose a layer for its facts")
        draw_network({"name": choices.net}, published_shape(choices.net), spec.num_classes, "architectures_graph")


def _draw_head(key: str, spec: ModelSpec) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        color = FAMILY_COLORS[spec.family]
        st.html(
            f"<div class='lab-chips'><span class='lab-chip'><i style='background:{color}'></i>"
            f"{html.escape(FAMILIES[spec.family])}<small>{spec.year}</small></span></div>",
            width="content",
        )
        st.subheader(spec.title, anchor=False, width="content")
        st.space("stretch")
        if clicked("Train this network", key="architectures_train", type="primary", icon=":material/model_training:"):
            st.switch_page(TRAIN, query_params=train_link(key))
        with st.popover("Measure latency", icon=":material/speed:"):
            choose_latency(key)
        if clicked(
            "Head to head",
            key="architectures_heads",
            icon=":material/compare_arrows:",
            help="This network beside another one or beside a run.",
        ):
            st.switch_page(COMPARE, query_params={"view": "heads", "a": key})
        st.button(
            "Close",
            key="architectures_close",
            type="tertiary",
            icon=":material/close:",
            on_click=lambda: choose(net=""),
        )
    st.markdown(spec.summary)


def train_link(key: str) -> dict[str, str]:
    """The Train page's link for a network: a preset for it whose images are at hand, else a data set that fits it."""
    for name in PRESETS:
        config = preset(name)
        if config.model.name == key and at_hand(config.data.dataset, data_root()):
            return {"preset": name}
    return {"model.name": key, "data.dataset": fitting_dataset(MODELS[key])}


def fitting_dataset(spec: ModelSpec) -> str:
    """A data set for a network: at hand if possible, large enough, with the channels of the published form."""
    fits = {key: data for key, data in FIXED_DATASETS.items() if min(data.in_shape[1:]) >= spec.min_size}
    candidates = list(fits or FIXED_DATASETS)
    return min(
        candidates,
        key=lambda key: (not at_hand(key, data_root()), DATASETS[key].in_shape[0] != spec.in_channels),
    )


def _draw_costs(key: str, spec: ModelSpec) -> None:
    summary = zoo().get(key)
    with st.grid(6, min_column_width=130, gap="small"):
        _number("Parameters", f"{spec.num_params:,}", _params_note(summary), "Numbers that are trained.")
        _number("Depth", f"{spec.depth} layers", "with weights", "On the longest way from image to class.")
        if summary is None:
            return
        flops = compact(2 * summary.macs)
        _number("MACs", compact(summary.macs), f"{flops} FLOPs", "Multiply-accumulates of one image, forward.")
        _number(
            "Memory",
            bytes_text(summary.activation_bytes()),
            "an image, training",
            "What is kept of one image for the backward pass, in fp32.",
        )
        _draw_latency(key)
        field = f"{summary.receptive_field:,} px" if summary.receptive_field else "–"
        size = f"image {spec.native_size} px"
        _number("Receptive field", field, size, "Of one output of the last convolution, along a side.")


def _draw_latency(key: str) -> None:
    found = own_latencies().get(key)
    if found and 1 in found.timings:
        timing = found.timings[1]
        conditions = f"{found.device_name}, {found.precision}, {threads_text(found.threads)}"
        spread = f"{timing.ms_p10:.3g} to {timing.ms_p90:.3g} ms for the middle 80 % of {timing.repeats} passes"
        _number("Latency here", f"{timing.ms:.3g} ms", "one image", f"Median, forward only. {conditions}; {spread}.")


def _number(title: str, value: str, below: str, explanation: str) -> None:
    st.metric(title, value, below, delta_color="off", delta_arrow="off", help=explanation)


def _params_note(summary: Summary | None) -> str:
    if summary is None:
        return "as published"
    if summary.aux_params:
        return f"{summary.num_params - summary.aux_params:,} without heads"
    if summary.norm_statistics:
        return f"{summary.num_params + summary.norm_statistics:,} with statistics"
    return "as published"


def _draw_words(spec: ModelSpec) -> None:
    st.html(_list("What it is", spec.facts) + _list("Often confused", spec.cautions, "lab-caution"))
    if spec.small_stem:
        st.html(f"<div class='lab-note'>On small images: {html.escape(spec.small_stem)}</div>")
    st.html(f"<div class='lab-note'>Source: {html.escape(spec.source)}</div>")


def _list(title: str, lines: tuple[str, ...], css: str = "lab-facts") -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<div class='{css}'><b>{title}</b><ul>{items}</ul></div>" if lines else ""


def _draw_results(key: str) -> None:
    published, own = results_table(key), own_results_table(key, own_best())
    if len(published):
        st.markdown("**Published accuracy**")
        st.dataframe(
            published.dropna(axis="columns", how="all"),
            hide_index=True,
            placeholder="",
            column_order=[*_PUBLISHED_COLUMNS],
            column_config=_PUBLISHED_COLUMNS,
            key="architectures_published",
        )
    st.markdown("**Own runs**, the best on each data set")
    if own.empty:
        st.html("<div class='lab-empty'>Nobody has trained it here yet.</div>")
    else:
        st.dataframe(_linked(own), hide_index=True, column_config=_OWN_COLUMNS, key="architectures_own")


_PUBLISHED_COLUMNS = {
    "top1": st.column_config.NumberColumn("Top-1", format="%.2f %%", width=72),
    "top5": st.column_config.NumberColumn("Top-5", format="%.2f %%", width=72),
    "dataset": st.column_config.TextColumn("Data set", width=80),
    "protocol": st.column_config.TextColumn("Measured on", width=150),
    "source": st.column_config.TextColumn("Source", width="medium"),
}


def _linked(own: pd.DataFrame) -> pd.DataFrame:
    return own.assign(run=own["run"].map(lambda run: f"/train?run={run}"))


_OWN_COLUMNS = {
    "accuracy": _PERCENT,
    "low": st.column_config.NumberColumn("from", format="%.1f %%", help="Lower end of Wilson's 95 % interval."),
    "high": st.column_config.NumberColumn("to", format="%.1f %%", help="Its upper end."),
    "images": st.column_config.NumberColumn(format="localized"),
    "run": st.column_config.LinkColumn("run", display_text="open"),
}


def _draw_layers(key: str) -> None:
    spec = MODELS[key]
    channels, height, width = published_shape(key)
    st.markdown(f"**Layers** at {height}×{width}×{channels} with {spec.num_classes:,} classes")
    reply = ask_layers("architectures_layers", key)
    if reply.error:
        st.caption(f"{reply.error.message} {reply.error.hint}")
    if reply.answer is None or reply.pending:
        st.html(f"<div class='lab-empty' style='height:{_LAYER_ROWS}px'>The layers appear here in a moment.</div>")
        return
    table = layer_table(reply.answer.data["layers"])
    st.dataframe(
        table.drop(columns=_unused(table)),
        hide_index=True,
        height=_LAYER_ROWS,
        placeholder="",
        column_config=_LAYER_COLUMNS,
        key=f"architectures_layers_{key}",
    )
    st.caption(
        "In the order in which they are computed: a maximum is taken before a rising activation, which gives the same "
        "with less work. Memory counts what is kept for the backward pass, where it is first needed."
    )
    download(table, f"layers-{key}", label="Layers as CSV")


def _unused(table: pd.DataFrame) -> list[str]:
    """Columns that would say the same of every layer."""
    usual = {"norm_statistics": 0, "groups": 1}
    return [name for name, value in usual.items() if all(table[name] == value)]


_count = st.column_config.NumberColumn
_LAYER_COLUMNS = {
    "layer": st.column_config.TextColumn("layer", pinned=True),
    "weights": _count(format="localized"),
    "biases": _count(format="localized"),
    "norm_statistics": _count("statistics", format="localized", help="Running averages, which are not trained."),
    "params": _count("parameters", format="localized"),
    "macs": _count("MACs", format="localized", help="Multiply-accumulates; FLOPs = 2 × MACs."),
    "flops": _count("FLOPs", format="localized"),
    "memory_kb": _count("memory, kB", format="localized", help="Kept of one image for the backward pass, fp32."),
    "receptive_field": _count("sees", format="%d px", help="Receptive field of one output, along a side."),
    "jump": _count(
        "apart", format="%d px", help="Effective stride: how far apart are what two neighboring outputs see."
    ),
    "start": _count("center", format="%.1f px", help="Middle of what the first output sees, from the image's edge."),
}

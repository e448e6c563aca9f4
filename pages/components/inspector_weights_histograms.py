"""Every weight tensor as a histogram, now and before training, with how far it has moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from cnncore.figures.unit_sum import exact
from cnncore.figures.weight_histograms import change_words, changes, weight_histogram
from pages.components.inspector_answers import answer_of
from pages.components.inspector_link import Look, change_link
from pages.components.inspector_maps_grid import file_name
from pages.components.inspector_maps_layer import step_buttons
from pages.components.inspector_maps_link import choice
from pages.components.live_chart import still_chart
from pages.components.wording import plain

_TENSOR = "inspector_weights_tensor"
_WHAT = (
    "The learned numbers of each layer, counted by size; of a run, those of its best epoch. They start at "
    "random around zero (scales and shifts of normalization at 1 and 0), or as the weights that the run began with, "
    "and training moves them. A tensor that did not move at all was frozen or got no gradient."
)
Tensor = Mapping[str, Any]


def show_histograms(look: Look) -> None:
    """Draw the histogram of the tensor that the link names, how far each has moved, and all as a table."""
    st.subheader("Weights by size", anchor=False)
    st.markdown(_WHAT)
    answer = answer_of("inspector_histograms", "weight_histograms", look.subject, words="Counting the weights…")
    if answer is None:
        st.html("<div class='lab-empty' style='min-height:20rem'></div>")
        return
    tensors: Sequence[Tensor] = answer.data["tensors"]
    if answer.data["note"]:
        st.info(plain(str(answer.data["note"])), icon=":material/history_toggle_off:")
    if not tensors:
        st.html("<div class='lab-empty'>This network has no weights.</div>")
        return
    found = _choose_tensor(tensors)
    name = str(found["name"])
    still_chart(
        weight_histogram(name, found["edges"], found["now"], found["before"]), key=f"inspector_weights_histogram_{name}"
    )
    st.markdown(_words(found))
    _show_changes(tensors, name)
    with st.expander("All layers as a table", icon=":material/table:"):
        st.dataframe(
            _table(tensors),
            hide_index=True,
            column_config={
                "moved": st.column_config.NumberColumn(format="percent"),
                "now": st.column_config.BarChartColumn(help="How many numbers of each size there are now"),
            },
        )
    _show_downloads(look, found, tensors)


def _choose_tensor(tensors: Sequence[Tensor]) -> Tensor:
    by_name = {str(tensor["name"]): tensor for tensor in tensors}
    names = list(by_name)
    current = choice("tensor", by_name, names[0], "weight tensor of this network")
    place = names.index(current)
    st.session_state[_TENSOR] = current
    st.selectbox(
        f"Tensor, {place + 1} of {len(names)} from the image on",
        names,
        format_func=lambda name: f"{name.replace('.', ' › ')}: {_shape(by_name[name])}",
        key=_TENSOR,
        on_change=lambda: change_link(tensor=st.session_state[_TENSOR]),
    )
    step_buttons(names, place, key="inspector_weights_step", open_one=lambda name: change_link(tensor=name))
    return by_name[current]


def _shape(tensor: Tensor) -> str:
    return f"{tensor['kind']}, {' × '.join(f'{size:,}' for size in tensor['shape'])}"


def _words(tensor: Tensor) -> str:
    facts = f"Mean {exact(tensor['mean'])}, standard deviation {exact(tensor['std'])}."
    changed = tensor["changed"]
    if changed is None:
        return facts if tensor["before"] is None else f"{facts} It started at zero, so no share can be said."
    if not changed:
        return f"{facts} Since its start this tensor **{change_words(changed)}**."
    return (
        f"{facts} Since its start this tensor **{change_words(changed)}**: the distance to the start is "
        f"{100 * changed:.3g} % of the start's own distance from zero (L2 norms)."
    )


def _show_changes(tensors: Sequence[Tensor], shown: str) -> None:
    known = [tensor for tensor in tensors if tensor["changed"] is not None]
    if any(tensor["changed"] for tensor in known):
        st.markdown("**How far each tensor moved**, in percent of its size at the start, from the image on")
        names, moved = zip(*((str(tensor["name"]), tensor["changed"]) for tensor in known), strict=True)
        still_chart(changes(names, moved, shown), key="inspector_weights_changes")


def _table(tensors: Sequence[Tensor]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "tensor": [tensor["name"] for tensor in tensors],
            "kind": [tensor["kind"] for tensor in tensors],
            "shape": [" × ".join(f"{size:,}" for size in tensor["shape"]) for tensor in tensors],
            "mean": [tensor["mean"] for tensor in tensors],
            "deviation": [tensor["std"] for tensor in tensors],
            "moved": [tensor["changed"] for tensor in tensors],
            "now": [tensor["now"] for tensor in tensors],
        }
    )


def _show_downloads(look: Look, tensor: Tensor, tensors: Sequence[Tensor]) -> None:
    name = str(tensor["name"])
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Histogram (CSV)",
            partial(_histogram_table, tensor),
            file_name=file_name(look, name, "histogram", ".csv"),
            icon=":material/table_view:",
            on_click="ignore",
            key="inspector_weights_csv",
        )
        st.download_button(
            "All layers (CSV)",
            lambda: _table(tensors).drop(columns="now").to_csv(index=False, float_format="%.6g"),
            file_name=file_name(look, "weights", ".csv"),
            icon=":material/table_view:",
            on_click="ignore",
            key="inspector_weights_all_csv",
        )


def _histogram_table(tensor: Tensor) -> str:
    edges, before = tensor["edges"], tensor["before"]
    table = {"from": edges[:-1], "to": edges[1:], "now": tensor["now"]}
    return pd.DataFrame(table | ({} if before is None else {"before": before})).to_csv(index=False, float_format="%.6g")

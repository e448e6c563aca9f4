"""Where one number of a map comes from: kernel and patch, channel by channel, then step by step to the number."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cnncore.answers import Answer
from cnncore.figures.unit_sum import STYLE, Step, Term, exact, product_rows, step_rows, term_bars
from pages.components.inspector_link import Look, change_link
from pages.components.inspector_maps_grid import file_name
from pages.components.inspector_maps_layer import Layer
from pages.components.wording import plain

IMAGE = "image"
"""What a convolution reads that gets the pixels, see `cnncore.analysis.unit_sum`."""
_MOST_ROWS, _MOST_BARS = 5, 12
_COLORS = {1: ("gray",), 3: ("red", "green", "blue")}
_READING = (
    "Blue numbers are below zero, red ones above, gray is zero; strong colors are large numbers. Patch, kernel and "
    "products each have one scale for all rows. Dashed cells lie outside the map, where the convolution reads zeros."
)
_NORMALIZED = (
    "The patch holds the picture as the network gets it: the mean is taken off and the rest divided by the deviation, "
    "so dark pixels are below zero."
)
_BIAS = "a learned number that is added everywhere"
_NO_BIAS = "there is none, or it is still zero"
_BATCH = (
    "batch normalization: the channel's usual mean is taken off, the rest scaled, both as learned in training "
    "(Ioffe, Szegedy, 2015)"
)
_NORMS = {
    "BatchNorm2d": _BATCH,
    "BatchNormAct2d": f"{_BATCH}; then the activation",
    "LocalResponseNorm": "divided by how strong the neighboring maps are here (Krizhevsky, Sutskever, Hinton, 2012)",
}
_ACTIVATIONS = {
    "relu": "what is below zero becomes 0, the rest stays",
    "relu6": "cut to the range from 0 to 6",
    "leakyrelu": "what is below zero becomes small, the rest stays",
    "elu": "what is below zero is squeezed to −1 at most, the rest stays",
    "gelu": "what is far below zero becomes nearly 0, what is far above stays",
    "silu": "what is far below zero becomes nearly 0, what is far above stays",
    "tanh": "squeezed to the range from −1 to 1",
    "scaledtanh": "squeezed to the range from −1.7159 to 1.7159",
    "sigmoid": "squeezed to the range from 0 to 1",
}
_AFTER_POOLING = {"Subsample": ", times a learned coefficient, plus a learned bias"}


def show_sum(look: Look, layer: Layer, answer: Answer, names: Collection[str]) -> None:
    """Draw what an answer tells; `names` are the layers that can be looked at."""
    st.html(STYLE)
    st.markdown("#### Where this number comes from")
    facts = answer.data
    unit, row, column = (facts[name] for name in ("unit", "row", "column"))
    st.markdown(f"Map {unit} at row {row}, column {column} is **{exact(facts['value'])}**.")
    if facts["note"]:
        st.markdown(plain(facts["note"]))
    if facts["addends"]:
        _show_addends(facts["addends"], names)
    found = facts["source"]
    if found is not None:
        terms = _terms(answer, found)
        _show_products(found, terms)
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown(f"**What each input channel adds**{_most_words(len(terms))}")
            st.html(term_bars(_bars(terms)))
        with right:
            st.markdown("**From the sum to the number**")
            st.html(step_rows(_steps(found, terms, facts["steps"])))
        st.download_button(
            "Sum (CSV)",
            partial(_table, terms),
            file_name=file_name(look, layer.name, f"map{unit}-row{row}-column{column}", ".csv"),
            icon=":material/table_view:",
            on_click="ignore",
            key="inspector_maps_sum_csv",
            help="Every product: channel, place in the kernel, patch, weight, product.",
        )


def _show_addends(addends: Sequence[Mapping[str, Any]], names: Collection[str]) -> None:
    """What branches add, and the way on into each of them: they have the same places."""
    st.html(term_bars([(str(part["name"]), part["value"]) for part in addends]))
    followed = [name for part in addends if (name := str(part["name"])) in names]
    with st.container(horizontal=True, gap="small"):
        for name in followed:
            st.button(
                f"Follow {plain(name)}",
                icon=":material/account_tree:",
                key=f"inspector_maps_follow_{name}",
                on_click=partial(change_link, layer=name, page=""),
            )


def _show_products(found: Mapping[str, Any], terms: Sequence[Term]) -> None:
    rows, columns = terms[0].kernel.shape
    count = len(terms)
    source = "the picture" if found["reads"] == IMAGE else plain(str(found["reads"]))
    channels = "" if count == 1 else f"{count:,} channels × "
    st.markdown(
        f"**{plain(str(found['layer']))}** is a convolution: its {rows} × {columns} kernel lies on {source}, "
        f"multiplies each number below it with a weight, and adds up all {channels}{rows} × {columns} = "
        f"{count * rows * columns:,} products."
    )
    if count > _MOST_ROWS:
        st.markdown(f"**The {_MOST_ROWS} channels that add most**")
    st.html(product_rows(terms if count <= _MOST_ROWS else _strongest(terms)[:_MOST_ROWS]))
    st.caption(_READING + (f" {_NORMALIZED}" if found["reads"] == IMAGE else ""))


def _terms(answer: Answer, found: Mapping[str, Any]) -> list[Term]:
    kernel, patch, inside = (answer.arrays[name] for name in ("kernel", "patch", "inside"))
    names = _channel_names(found)
    return [
        Term(name=name, value=float(value), patch=patch[place], kernel=kernel[place], inside=inside)
        for place, (name, value) in enumerate(zip(names, found["terms"], strict=True))
    ]


def _channel_names(found: Mapping[str, Any]) -> list[str]:
    channels = found["channels"]
    if found["reads"] == IMAGE and len(channels) in _COLORS:
        return list(_COLORS[len(channels)])
    return [f"map {channel}" for channel in channels]


def _strongest(terms: Sequence[Term]) -> list[Term]:
    return sorted(terms, key=lambda term: -abs(term.value))


def _bars(terms: Sequence[Term]) -> list[tuple[str, float]]:
    ordered = _strongest(terms)
    bars = [(term.name, term.value) for term in ordered[:_MOST_BARS]]
    rest = ordered[_MOST_BARS:]
    if rest:
        bars.append((f"{len(rest):,} others", sum(term.value for term in rest)))
    return bars


def _most_words(count: int) -> str:
    return f", the {_MOST_BARS} that add most first" if count > _MOST_BARS else ""


def _steps(found: Mapping[str, Any], terms: Sequence[Term], stages: Sequence[Mapping[str, Any]]) -> list[Step]:
    total = sum(term.value for term in terms)
    steps = [
        Step(
            name="All products added up",
            how=f"{len(terms):,} {'channel' if len(terms) == 1 else 'channels'}",
            value=total,
        ),
        Step(
            name="The bias", how="a learned number that is always added" if found["bias"] else "", value=found["bias"]
        ),
    ]
    for stage in stages:
        steps.append(
            Step(name=_stage_name(stage), how=_how(stage), value=stage["value"], is_shown=bool(stage["chosen"]))
        )
    return steps


def _stage_name(stage: Mapping[str, Any]) -> str:
    return f"= {stage['name']}" + (" (the number of the map)" if stage["chosen"] else "")


def _how(stage: Mapping[str, Any]) -> str:
    """What a layer does, in words or in numbers."""
    kind = str(stage["kind"])
    if kind == "convolution":
        return "the sum and the bias together"
    name = str(stage["type"])
    if kind == "normalization":
        return _NORMS.get(name, name)
    if kind == "activation":
        return f"{name}: {_ACTIVATIONS.get(name.lower(), 'a fixed curve')}"
    window = stage["window"]
    if window is None:
        return kind
    values = [value for line in window["values"] for value in line]
    word = "the largest" if window["takes"] == "max" else "the mean"
    shown = f" of {', '.join(map(exact, values))}" if len(values) <= 9 else f" of {len(values):,} numbers"
    row, column = window["winner"]
    more = _AFTER_POOLING.get(name, "")
    return f"pooling takes {word}{shown}{more}; followed: row {row}, column {column}"


def _table(terms: Sequence[Term]) -> str:
    count, (rows, columns) = len(terms), terms[0].kernel.shape
    place, row, column = (axis.ravel() for axis in np.indices((count, rows, columns)))
    patch, kernel = (np.stack(parts).ravel() for parts in ([t.patch for t in terms], [t.kernel for t in terms]))
    table = pd.DataFrame(
        {
            "channel": np.array([term.name for term in terms])[place],
            "row": row,
            "column": column,
            "patch": patch,
            "weight": kernel,
            "product": patch.astype(np.float64) * kernel,
        }
    )
    return table.to_csv(index=False, float_format="%.7g")

"""All maps of a layer as one grid, on one scale or each on its own, by number or by strength, page by page."""

from __future__ import annotations

import html
import math
import re
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from cnncore.answers import Answer
from cnncore.figures.feature_maps import coarser, color_bar, levels, palette, sheet
from cnncore.figures.unit_sum import exact
from pages.components.inspector_answers import newest_answer
from pages.components.inspector_link import Look, change_link, param
from pages.components.inspector_maps_layer import Layer
from pages.components.inspector_maps_link import choice, read_number, refuse
from pages.components.inspector_maps_tiles import Tiles, choose_tile

PER_PAGE = 64
_SIDE = 112
"""Numbers along a side above which a tile shows means of blocks: it is some 100 pixels wide."""
_SCALE, _ORDER = "inspector_maps_scale", "inspector_maps_order"
_SCALES = {"layer": "One for all maps", "map": "Each map its own"}
_SCALE_WORDS = {
    "layer": "The same color is the same number in every map of this layer, so bright maps are strong ones.",
    "map": "Each map goes from its own least number to its own greatest: faint maps can be seen, but colors cannot be "
    "compared between maps.",
}
_ORDERS = {"channel": "Number", "strength": "Strongest first"}
_RESETS: dict[str, dict[str, str]] = {"scale": {}, "order": {"page": ""}}
_HEIGHT_REM = 30


def show_grid(look: Look, layer: Layer) -> Answer | None:
    """Draw the maps of a page; the answer that holds them, or None until it is there."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        scale = _choose("scale", _SCALES, "Color scale", _SCALE)
        order = _choose("order", _ORDERS, "Order", _ORDER)
    first = PER_PAGE * _page(layer.shape[0])
    answer, is_new = newest_answer(
        "inspector_maps",
        "feature_maps",
        {**look.request, "layer": layer.name, "first": first, "count": PER_PAGE, "order": order},
        words="Running the network…",
        fits=partial(_holds, layer),
    )
    if answer is None:
        st.html(f"<div class='lab-empty' style='min-height:{_HEIGHT_REM}rem'></div>")
        return None
    with st.container(key="inspector_maps_shown" if is_new else "waiting_inspector_maps"):
        st.html(_legend(_ends(answer, scale), scale))
        _show_tiles(answer, layer, scale)
    _choose_page(layer.shape[0], layer.name, order)
    st.download_button(
        "Grid (PNG)",
        partial(_sheet, answer, layer, scale, look.title),
        file_name=file_name(look, layer.name, "maps", ".png"),
        icon=":material/download:",
        on_click="ignore",
        key="inspector_maps_sheet",
    )
    return answer if is_new else None


def _holds(layer: Layer, answer: Answer) -> bool:
    """Whether an answer is of such a layer, perhaps for another picture or page."""
    facts = answer.data["layer"]
    return facts["name"] == layer.name and tuple(facts["shape"]) == layer.shape


def _show_tiles(answer: Answer, layer: Layer, scale: str) -> None:
    choose_tile(
        _tiles(answer, scale),
        key="inspector_maps_grid",
        label=f"Maps of {layer.title}; arrow keys move, Enter opens one",
        hint="Click a map, or open it with Enter, to see where its numbers come from.",
        chosen=read_number(param("unit"), layer.shape[0]),
        on_choose=lambda chosen: change_link(unit=str(chosen), place=""),
    )


def file_name(look: Look, *parts: str) -> str:
    """A file name that says what it is; the last part is the suffix."""
    words = "-".join((look.title, *parts[:-1]))
    return re.sub(r"[^A-Za-z0-9.]+", "-", words).strip("-.")[:100] + parts[-1]


def asked_scale() -> str:
    """Whether colors are of the layer or of the map, as the link has it."""
    return param("scale") if param("scale") in _SCALES else "layer"


def scaled(answer: Answer, scale: str) -> tuple[Any, Any]:
    """What gets the first and what the last color: one number for all maps, or one a map."""
    if scale == "layer":
        return answer.data["low"], answer.data["high"]
    return answer.arrays["lows"], answer.arrays["highs"]


def _choose(name: str, options: dict[str, str], label: str, key: str) -> str:
    current = choice(name, options, next(iter(options)), f"way to choose the {label.lower()}")
    st.session_state[key] = current
    st.segmented_control(
        label,
        list(options),
        required=True,
        format_func=options.__getitem__,
        key=key,
        on_change=lambda: change_link(**{name: st.session_state[key]}, **_RESETS[name]),
    )
    return current


def _tiles(answer: Answer, scale: str) -> Tiles:
    maps, lows, highs, means = (answer.arrays[name] for name in ("maps", "lows", "highs", "means"))
    units = [int(unit) for unit in answer.data["units"]]
    return Tiles(
        keys=units,
        labels=[str(unit) for unit in units],
        words=[
            f"Map {unit}: from {exact(low)} to {exact(high)}, mean {exact(mean)}"
            for unit, low, high, mean in zip(units, lows, highs, means, strict=True)
        ],
        pictures=levels(coarser(maps, _SIDE), *scaled(answer, scale)),
    )


def _ends(answer: Answer, scale: str) -> tuple[str, str]:
    if scale == "layer":
        return exact(answer.data["low"]), exact(answer.data["high"])
    return "least of the map", "greatest"


def _legend(ends: tuple[str, str], scale: str) -> str:
    low, high = map(html.escape, ends)
    return (
        "<div class='lab-note' style='display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;align-items:center'>"
        "<div style='flex:0 1 15rem;min-width:11rem'>"
        f"<div style='height:.7rem;border-radius:3px;background:{color_bar()}'></div>"
        f"<div class='lab-numbers' style='display:flex;justify-content:space-between;font-size:.8rem'>"
        f"<span>{low}</span><span>{high}</span></div></div>"
        f"<div style='flex:1 1 18rem'>{_SCALE_WORDS[scale]}</div></div>"
    )


def _sheet(answer: Answer, layer: Layer, scale: str, network: str) -> bytes:
    maps: npt.NDArray[np.floating] = answer.arrays["maps"]
    pictures = palette()[levels(maps, *scaled(answer, scale))]
    title = f"{network}: {layer.title}, {layer.words}"
    return sheet(pictures, [str(unit) for unit in answer.data["units"]], title=title, ends=_ends(answer, scale))


def _page(count: int) -> int:
    """Place of the page, from 0."""
    pages = math.ceil(count / PER_PAGE)
    asked = param("page")
    found = read_number(asked, pages + 1)
    if asked and not found:
        refuse(asked, f"page (1 to {pages})")
    return (found or 1) - 1


def _choose_page(count: int, layer: str, order: str) -> None:
    pages = math.ceil(count / PER_PAGE)
    if pages > 1:
        # Another layer or order begins with its own first page.
        key = f"inspector_maps_page_{layer}_{order}"
        asked = read_number(param("page"), pages + 1) or 1
        st.pagination(pages, default=asked, key=key, on_change=lambda: change_link(page=str(st.session_state[key])))

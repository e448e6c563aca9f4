"""One unit's map, large, beside the image: a place in it, what it sees, and the sum it came from."""

from __future__ import annotations

import io
from collections.abc import Collection
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st
from PIL import Image, ImageDraw

from cnncore.answers import Answer
from cnncore.figures.feature_maps import enlarged, levels, palette, png
from cnncore.figures.unit_sum import exact
from pages.components.inspector_answers import PREDICTION, answer_of, newest_answer
from pages.components.inspector_link import Look, change_link
from pages.components.inspector_maps_grid import asked_scale, file_name, scaled
from pages.components.inspector_maps_layer import Layer
from pages.components.inspector_maps_link import number, open_view, place
from pages.components.inspector_maps_place import MapOnImage, choose_place
from pages.components.inspector_maps_sum import show_sum

_UNIT, _ROW, _COLUMN = "inspector_maps_unit", "inspector_maps_row", "inspector_maps_column"
_SIDE = 448
_LINE = 3
Map = npt.NDArray[np.floating]


def show_unit(look: Look, layer: Layer, maps: Answer, names: Collection[str]) -> None:
    """Draw the unit of the link; `maps` is the answer that the grid shows, `names` are the layers with maps."""
    unit = number("unit", layer.shape[0], "map of this layer")
    if unit is None:
        return
    st.subheader(f"Map {unit} of {layer.title}", anchor=False)
    held = _answer_with(look, layer, unit, maps)
    seen = answer_of(PREDICTION, "inspect", look.request, words="Asking for the picture…")
    if held is None or seen is None:
        return
    values, low, high = _map_in(held, unit)
    where = place("place", *values.shape) or _strongest(values)
    _choose_numbers(layer, unit, where)
    shown = MapOnImage(
        values=values,
        low=low,
        high=high,
        pixels=seen.arrays["pixels"],
        rows=held.arrays["rows"],
        columns=held.arrays["columns"],
        map_words=f"Map {unit}, {values.shape[0]} × {values.shape[1]}. "
        f"Colors from {exact(low)} (dark) to {exact(high)} (bright). Click a place.",
        image_words=_image_words(layer, seen.arrays["pixels"]),
    )
    choose_place(shown, key="inspector_maps_place", place=where, on_choose=_go)
    answer, is_new = newest_answer(
        "inspector_maps_sum",
        "unit",
        {**look.request, "layer": layer.name, "unit": unit, "row": where[0], "column": where[1]},
        words="Following the sum…",
        fits=lambda last: last.data["layer"]["name"] == layer.name,
    )
    _show_downloads(look, layer, unit, shown, where)
    if answer is not None:
        with st.container(key="inspector_maps_told" if is_new else "waiting_inspector_maps_told"):
            show_sum(look, layer, answer, names)


def _go(row: int, column: int) -> None:
    change_link(place=f"{row},{column}")


def _answer_with(look: Look, layer: Layer, unit: int, maps: Answer) -> Answer | None:
    """The answer that holds the unit's map: the grid may be at another page."""
    if unit in maps.data["units"]:
        return maps
    request = {**look.request, "layer": layer.name, "first": unit, "count": 1, "order": "channel"}
    return answer_of("inspector_maps_one", "feature_maps", request, words="Running the network…")


def _map_in(maps: Answer, unit: int) -> tuple[Map, float, float]:
    """The map and the numbers that get its first and its last color."""
    units = list(maps.data["units"])
    row = units.index(unit)
    low, high = (np.broadcast_to(ends, len(units))[row] for ends in scaled(maps, asked_scale()))
    return maps.arrays["maps"][row].astype(np.float32), float(low), float(high)


def _strongest(values: Map) -> tuple[int, int]:
    row, column = np.unravel_index(np.abs(values).argmax(), values.shape)
    return int(row), int(column)


def _choose_numbers(layer: Layer, unit: int, where: tuple[int, int]) -> None:
    """The same as clicks, as numbers."""
    count, height, width = layer.shape
    with st.container(horizontal=True, gap="small", width=420):
        for label, key, value, most in (
            ("Map", _UNIT, unit, count),
            ("Row", _ROW, where[0], height),
            ("Column", _COLUMN, where[1], width),
        ):
            st.session_state[key] = value
            st.number_input(label, 0, most - 1, key=key, on_change=_numbered, args=(label,))


def _numbered(label: str) -> None:
    if label == "Map":
        change_link(unit=str(st.session_state[_UNIT]))
    else:
        _go(st.session_state[_ROW], st.session_state[_COLUMN])


def _image_words(layer: Layer, pixels: npt.NDArray[np.uint8]) -> str:
    field = layer.receptive_field
    sees = "the whole image" if field is None else f"{field:,} pixels along a side, cut at the edges"
    return (
        f"What the network saw, {pixels.shape[0]} × {pixels.shape[1]} pixels. The box is the receptive field of the "
        f"place: {sees}."
    )


def _show_downloads(look: Look, layer: Layer, unit: int, shown: MapOnImage, where: tuple[int, int]) -> None:
    stem = (layer.name, f"map{unit}")
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Map (PNG)",
            partial(_map_picture, shown),
            file_name=file_name(look, *stem, ".png"),
            icon=":material/download:",
            on_click="ignore",
            key="inspector_maps_one_png",
        )
        st.download_button(
            "Map (CSV)",
            partial(_map_table, shown.values),
            file_name=file_name(look, *stem, ".csv"),
            icon=":material/table_view:",
            on_click="ignore",
            key="inspector_maps_one_csv",
            help="The numbers of the map, a row a line.",
        )
        (top, bottom), (left, right) = shown.rows[where[0]], shown.columns[where[1]]
        st.download_button(
            "Picture with the box (PNG)",
            partial(_boxed, shown.pixels, (top, left, bottom, right)),
            file_name=file_name(look, *stem, f"row{where[0]}", f"column{where[1]}", "sees", ".png"),
            icon=":material/download:",
            on_click="ignore",
            key="inspector_maps_boxed",
        )
        st.button(
            "What excites it",
            icon=":material/bolt:",
            key="inspector_maps_excites",
            on_click=partial(open_view, "excites", layer=layer.name, unit=str(unit)),
            help="The images that this unit answers to most.",
        )


def _map_picture(shown: MapOnImage) -> bytes:
    return png(enlarged(palette()[levels(shown.values[None], shown.low, shown.high)[0]], _SIDE))


def _map_table(values: Map) -> str:
    return pd.DataFrame(values).to_csv(header=False, index=False, float_format="%.4g")


def _boxed(pixels: npt.NDArray[np.uint8], box: tuple[float, float, float, float]) -> bytes:
    """The image, enlarged, with what the place sees in a white frame with black edges."""
    large = enlarged(pixels, _SIDE)
    factor = large.shape[0] / pixels.shape[0]
    page = Image.fromarray(large[..., 0] if large.shape[-1] == 1 else large).convert("RGB")
    pen = ImageDraw.Draw(page)
    top, left, bottom, right = (round(factor * edge) for edge in box)
    for inset, color, width in ((0, "black", _LINE + 2), (1, "white", _LINE)):
        corners = (left + inset, top + inset, max(right - 1 - inset, left + 4), max(bottom - 1 - inset, top + 4))
        pen.rectangle(corners, outline=color, width=width)
    buffer = io.BytesIO()
    page.save(buffer, format="PNG")
    return buffer.getvalue()

"""One feature map, large, beside the image: what each place sees, and the choice of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.figures.feature_maps import palette
from pages.components.inspector_maps_tiles import packed


@dataclass(frozen=True, kw_only=True, eq=False)
class MapOnImage:
    """A map and the image it was made from.

    Attributes:
        values: Of the map, (h, w).
        low: Value that gets the first color.
        high: Value that gets the last one.
        pixels: Of the image, uint8 (H, W, C).
        rows: Of each row of the map, the edges of what it sees of the image, top and bottom, (h, 2) in pixels.
        columns: Of each column, left and right, (w, 2).
        map_words: Below the map.
        image_words: Below the image.
    """

    values: npt.NDArray[np.floating]
    low: float
    high: float
    pixels: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.floating]
    columns: npt.NDArray[np.floating]
    map_words: str
    image_words: str


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    css, js = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".css", ".js"))
    return component("lab_place", html="<div class='lab-place'></div>", css=css, js=js, isolate_styles=False)


def choose_place(shown: MapOnImage, *, key: str, place: tuple[int, int], on_choose: Callable[[int, int], None]) -> None:
    """Show a map and its image; calls back with row and column of the place that is chosen.

    Args:
        shown: What is shown.
        key: Its name on the page.
        place: Row and column that are marked.
        on_choose: Called before the page is drawn again.
    """
    height, width = shown.values.shape

    def told() -> None:
        found = read_place(st.session_state[key].get("chosen"), height, width)
        if found is not None:
            on_choose(*found)

    header = {
        "label": f"{shown.map_words} Arrow keys move the place.",
        "map": {"height": height, "width": width, "low": shown.low, "high": shown.high},
        "image": dict(zip(("height", "width", "channels"), shown.pixels.shape, strict=True)),
        "rows": shown.rows.tolist(),
        "columns": shown.columns.tolist(),
        "palette": palette().ravel().tolist(),
        "place": list(place),
        "mapWords": shown.map_words,
        "imageWords": shown.image_words,
    }
    arrays = [shown.values.astype("<f4"), shown.pixels]
    _component()(key=key, data=packed(header, arrays), on_chosen_change=told)


def read_place(found: Any, height: int, width: int) -> tuple[int, int] | None:
    """Row and column that a browser sent; None where it sent nonsense."""
    if not isinstance(found, list) or len(found) != 2 or not all(type(part) is int for part in found):
        return None
    row, column = found
    return (row, column) if 0 <= row < height and 0 <= column < width else None

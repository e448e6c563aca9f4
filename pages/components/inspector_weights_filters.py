"""The filters of the first convolution, as pictures of what each of them answers to."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import streamlit as st

from cnncore.figures.feature_maps import enlarged, filter_pictures, png, sheet
from cnncore.figures.unit_sum import STYLE, exact, weight_tiles
from pages.components.inspector_answers import answer_of
from pages.components.inspector_link import Look, change_link
from pages.components.inspector_maps_grid import file_name
from pages.components.inspector_maps_link import choice, moved_on, number, open_view
from pages.components.inspector_maps_tiles import Tiles, choose_tile
from pages.components.wording import plain

_SCALE = "inspector_filters_scale"
_SCALES = {"map": "Each filter its own", "layer": "One for all"}
_SCALE_WORDS = {
    "map": "Each filter uses the full range of colors, so that weak ones can be seen too.",
    "layer": "The same color is the same weight in every filter, so that faint filters are weak ones.",
}
_CHANNELS = {1: ("gray",), 3: ("red", "green", "blue")}
_WORDS = {
    3: "Gray is a weight of zero; a filter answers most to a patch that looks like it. Random weights look like "
    "colored noise, trained ones like edges and spots of color.",
    1: "Red weights count for the filter, blue ones against it, light gray is zero: it answers most where a patch is "
    "bright below the red and dark below the blue. Random weights look like noise, trained ones like strokes.",
}
_SOURCE = "First shown for a large network by Krizhevsky, Sutskever, Hinton, 2012 (Figure 3)."
_SIDE = 320
Filters = npt.NDArray[np.float32]


def show_filters(look: Look) -> None:
    """Draw the filters, and the weights of the one that the link names."""
    moved_on()
    st.subheader("First filters", anchor=False)
    answer = answer_of("inspector_filters", "filters", look.subject, words="Reading the weights…")
    if answer is None:
        st.html("<div class='lab-empty' style='min-height:14rem'></div>")
        return
    filters: Filters = answer.arrays["filters"]
    count, rows, columns, channels = filters.shape
    st.markdown(
        f"The {count:,} filters of {plain(str(answer.data['layer']))}, {rows} × {columns}, see the pixels themselves, "
        f"so they can be drawn as pictures. {_WORDS[channels]}",
        help=_SOURCE,
    )
    scale = _choose_scale()
    pictures = filter_pictures(filters, one_scale=scale == "layer")
    chosen = number("filter", count, "filter of the first convolution")
    choose_tile(
        _tiles(filters, pictures),
        key="inspector_filters_grid",
        label="Filters of the first convolution; arrow keys move, Enter opens one",
        hint="Click a filter, or open it with Enter, to see its weights.",
        chosen=chosen,
        on_choose=lambda place: change_link(filter=str(place)),
    )
    title = f"{look.title}: filters of {answer.data['layer']}, {rows} × {columns}"
    st.download_button(
        "Filters (PNG)",
        lambda: sheet(pictures, [str(place) for place in range(count)], title=title, ends=None),
        file_name=file_name(look, "filters", ".png"),
        icon=":material/download:",
        on_click="ignore",
        key="inspector_filters_sheet",
    )
    if chosen is not None:
        _show_filter(look, str(answer.data["layer"]), filters[chosen], pictures[chosen], chosen)


def _choose_scale() -> str:
    current = choice("scale", _SCALES, "map", "way to choose the colors")
    st.session_state[_SCALE] = current
    st.segmented_control(
        "Colors",
        list(_SCALES),
        required=True,
        format_func=_SCALES.__getitem__,
        key=_SCALE,
        on_change=lambda: change_link(scale=st.session_state[_SCALE]),
        help=" ".join(_SCALE_WORDS.values()),
    )
    return current


def _tiles(filters: Filters, pictures: npt.NDArray[np.uint8]) -> Tiles:
    places = range(len(filters))
    ends = zip(filters.min(axis=(1, 2, 3)), filters.max(axis=(1, 2, 3)), strict=True)
    return Tiles(
        keys=places,
        labels=[str(place) for place in places],
        words=[f"Filter {place}: weights from {exact(low)} to {exact(high)}" for place, (low, high) in enumerate(ends)],
        pictures=pictures,
    )


def _show_filter(look: Look, layer: str, weights: Filters, picture: npt.NDArray[np.uint8], place: int) -> None:
    """The weights of one filter of a layer, (kh, kw, C), channel by channel."""
    st.html(STYLE)
    st.markdown(f"**Weights of filter {place}**")
    st.html(weight_tiles(weights.transpose(2, 0, 1), _CHANNELS[weights.shape[-1]]))
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Filter (PNG)",
            partial(_enlarged, picture),
            file_name=file_name(look, f"filter{place}", ".png"),
            icon=":material/download:",
            on_click="ignore",
            key="inspector_filters_one",
        )
        if look.picture:
            st.button(
                "Its map of the picture",
                icon=":material/grid_on:",
                key="inspector_filters_map",
                on_click=partial(open_view, "maps", layer=layer, unit=str(place)),
            )


def _enlarged(picture: npt.NDArray[np.uint8]) -> bytes:
    return png(enlarged(picture, _SIDE))

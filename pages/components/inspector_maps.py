"""The view Maps: what each layer makes of the picture, and where a single number in it comes from."""

from __future__ import annotations

import streamlit as st

from pages.components.inspector_answers import answer_of
from pages.components.inspector_link import Look, param
from pages.components.inspector_maps_grid import show_grid
from pages.components.inspector_maps_layer import choose_layer, read_layers
from pages.components.inspector_maps_link import moved_on
from pages.components.inspector_maps_unit import show_unit
from pages.components.waiting import fill_in

_WHAT = (
    "Each small square is a **feature map**: what one unit of the layer answers at every place of the picture, dark "
    "for little and bright for much. All maps of a layer come from the maps before it; early ones keep the picture's "
    "shapes, late ones say in a few coarse squares that something is there."
)
_SOURCE = (
    "Feature maps: LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998. "
    "Looking at them layer by layer: Zeiler, Fergus, Visualizing and understanding convolutional networks, 2014. "
    "Colors: inferno (Smith, van der Walt, 2015), whose lightness rises evenly."
)
_UNIT_REM = 60


def show_maps(look: Look) -> None:
    """Draw this view."""
    fill_in("inspector_maps", lambda: _draw(look))


def _draw(look: Look) -> None:
    moved_on()
    st.markdown(_WHAT, help=_SOURCE)
    found = answer_of("inspector_layers", "layers", look.subject, words="Opening the network…")
    if found is None:
        return
    layers = read_layers(found.data["layers"])
    if not layers:
        st.html("<div class='lab-empty'>No layer of this network leaves maps with height and width.</div>")
        return
    layer = choose_layer(layers)
    maps = show_grid(look, layer)
    if not param("unit"):
        return
    if maps is None:
        # Nothing jumps while the maps of another picture are on their way.
        st.html(f"<div style='min-height:{_UNIT_REM}rem'></div>")
    else:
        show_unit(look, layer, maps, layers)

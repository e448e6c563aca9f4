"""What is to be excited: a unit of a layer, or a class."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.components.inspector_link import Look, change_link
from pages.components.inspector_maps_layer import Layer, choose_layer
from pages.components.inspector_maps_link import number

_KIND, _CLASS, _UNIT = "inspector_excites_kind", "inspector_excites_class", "inspector_excites_unit"
_KINDS = {"unit": "A unit of a layer", "class": "A class"}
_KINDS_HELP = (
    "A unit is one channel of a layer: it looks for the same thing at every place of the picture. A class is a unit of "
    "the last layer; its value is the score before the softmax."
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A unit.

    Attributes:
        layer: Name of its layer; empty for a class.
        unit: Its number.
        count: How many the layer has.
        title: What it is called.
        group: What it is one of.
    """

    layer: str
    unit: int
    count: int
    title: str
    group: str

    @property
    def request(self) -> dict[str, Any]:
        """As questions have it."""
        return {"layer": self.layer, "unit": self.unit}

    @property
    def is_class(self) -> bool:
        return not self.layer


def choose_target(look: Look, layers: Mapping[str, Layer], *, single: bool) -> Target:
    """Draw the choice; with `single` of one unit, else of a layer only."""
    place = number("class", len(look.classes), "class of this network")
    kind = "unit" if place is None and layers else "class"
    if layers:
        st.session_state[_KIND] = kind
        st.segmented_control(
            "Excite",
            list(_KINDS),
            required=True,
            format_func=_KINDS.__getitem__ if single else {"unit": "Units of a layer", "class": "Classes"}.__getitem__,
            key=_KIND,
            label_visibility="collapsed",
            on_change=lambda: change_link(class_="0" if st.session_state[_KIND] == "class" else "", page=""),
            help=_KINDS_HELP,
        )
    if kind == "class":
        return _choose_class(look, place or 0, single=single)
    return _choose_unit(choose_layer(layers), single=single)


def _choose_class(look: Look, place: int, *, single: bool) -> Target:
    names = look.classes
    if single:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.session_state[_CLASS] = place
            st.selectbox(
                f"Class, one of {len(names):,}",
                range(len(names)),
                format_func=lambda place: names[place],
                key=_CLASS,
                width=320,
                on_change=lambda: change_link(class_=str(st.session_state[_CLASS])),
            )
            _draw_surprise("class_", len(names))
    return Target(layer="", unit=place, count=len(names), title=names[place], group="class")


def _choose_unit(layer: Layer, *, single: bool) -> Target:
    count = layer.shape[0]
    unit = number("unit", count, "unit of this layer") or 0
    if single:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.session_state[_UNIT] = unit
            st.number_input(
                f"Unit, 0 to {count - 1:,}",
                0,
                count - 1,
                key=_UNIT,
                width=170,
                on_change=lambda: change_link(unit=str(st.session_state[_UNIT])),
            )
            _draw_surprise("unit", count)
    return Target(layer=layer.name, unit=unit, count=count, title=f"unit {unit} of {layer.title}", group="unit")


def _draw_surprise(name: str, count: int) -> None:
    st.button(
        "Surprise me",
        icon=":material/casino:",
        key="inspector_excites_random",
        on_click=lambda: change_link(**{name: str(random.randrange(count))}),
    )

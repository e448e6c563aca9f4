"""The view 'excites' of the Inspector: what excites a unit most, among real images and made for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.components.inspector_answers import answer_of
from pages.components.inspector_excites_overview import show_overview
from pages.components.inspector_excites_patches import show_patches
from pages.components.inspector_excites_synthesis import show_synthesis
from pages.components.inspector_excites_target import Target, choose_target
from pages.components.inspector_link import Look, change_link
from pages.components.inspector_maps_layer import read_layers
from pages.components.inspector_maps_link import choice
from pages.components.waiting import fill_in

_PART = "inspector_excites_part"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the view."""

    title: str
    icon: str
    show: Callable[[Look, Target], None]


PARTS: dict[str, Part] = {
    "patches": Part(title="Real images", icon=":material/photo_library:", show=show_patches),
    "units": Part(title="All units at a glance", icon=":material/apps:", show=show_overview),
    "synthesized": Part(title="Made for it", icon=":material/auto_awesome:", show=show_synthesis),
}


def show_excites(look: Look) -> None:
    """Draw this view."""
    fill_in("inspector_excites", lambda: _draw(look))


def _draw(look: Look) -> None:
    part = _choose_part()
    found = answer_of("inspector_excites_layers", "layers", look.subject, words="Opening the network…")
    if found is not None:
        part.show(look, choose_target(look, read_layers(found.data["layers"]), single=part is not PARTS["units"]))


def _choose_part() -> Part:
    current = choice("part", PARTS, next(iter(PARTS)), f"part of this view ({', '.join(PARTS)})")
    st.session_state[_PART] = current
    st.segmented_control(
        "Part",
        list(PARTS),
        required=True,
        format_func=lambda name: f"{PARTS[name].icon} {PARTS[name].title}",
        key=_PART,
        label_visibility="collapsed",
        on_change=lambda: change_link(part=st.session_state[_PART]),
    )
    return PARTS[current]

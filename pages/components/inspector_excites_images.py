"""Which images are searched for what excites a unit, and how many of them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components.inspector_images import choose_images
from pages.components.inspector_link import Look, change_link
from pages.components.inspector_maps_link import choice

_MOST = "inspector_excites_most"
_COUNTS = ("200", "1000", "5000")
_SMALL = 64
"""Pixels along a side up to which a network is quick enough for more images."""


def choose_scanned(look: Look) -> dict[str, Any]:
    """Draw the choice; returns what questions need of it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        images = choose_images(look, "inspector_excites")
        most = choice("most", _COUNTS, _COUNTS[look.size <= _SMALL], f"number of images ({', '.join(_COUNTS)})")
        st.session_state[_MOST] = most
        st.segmented_control(
            "At most",
            _COUNTS,
            required=True,
            format_func=lambda count: f"{int(count):,}",
            key=_MOST,
            on_change=lambda: change_link(most=st.session_state[_MOST]),
            help="Images that are searched, evenly spread over the split. They are searched once for all units of a "
            "layer.",
        )
    return {**images.request, "most_images": int(most)}

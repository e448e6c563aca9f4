"""Which layer's maps are shown: those worth seeing or all of them, from the image on, with steps to the neighbors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from pages.components.inspector_link import change_link
from pages.components.inspector_maps_link import choice

_LAYER, _GROUP, _ASKED_GROUP = "inspector_maps_layer", "inspector_maps_group", "inspector_maps_asked_group"
_WORTH, _ALL = "worth", "all"
_KINDS = {"block": "block of layers"}
_GROUP_HELP = (
    "Worth seeing: the ends of the network's parts, as the lab's catalog names them. All: every layer that leaves maps "
    "with height and width; behind the last one only numbers are left."
)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer that leaves maps: `cnncore.analysis.layers.MapLayer` without torch."""

    name: str
    kind: str
    shape: tuple[int, int, int]
    kernel: tuple[int, int] | None
    receptive_field: int | None
    jump: int | None
    start: float | None
    is_tap: bool

    @property
    def title(self) -> str:
        """Its name, from the outermost block to the layer."""
        return self.name.replace(".", " › ")

    @property
    def words(self) -> str:
        """Its kind, its window and its maps: convolution 3 × 3, 64 maps of 56 × 56."""
        window = f" {self.kernel[0]} × {self.kernel[1]}" if self.kernel else ""
        count, height, width = self.shape
        maps = "map" if count == 1 else "maps"
        return f"{_KINDS.get(self.kind, self.kind)}{window}, {count:,} {maps} of {height} × {width}"


def read_layers(found: Sequence[Mapping[str, Any]]) -> dict[str, Layer]:
    """The layers of an answer by name, input side first."""
    layers: dict[str, Layer] = {}
    for facts in found:
        kept = {name: facts[name] for name in Layer.__dataclass_fields__}
        count, height, width = facts["shape"]
        kernel = tuple(facts["kernel"]) if facts["kernel"] else None
        layers[facts["name"]] = Layer(**{**kept, "shape": (count, height, width), "kernel": kernel})
    return layers


def choose_layer(layers: Mapping[str, Layer]) -> Layer:
    """Draw the choice; `layers` holds at least one."""
    every = list(layers)
    taps = [name for name in every if layers[name].is_tap]
    current = choice("layer", layers, (taps or every)[0], "layer of this network with maps")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom", gap="small"):
        names = _choose_group(every, taps, current)
        place = names.index(current)
        step_buttons(names, place, key="inspector_maps_step", open_one=_open)
    st.session_state[_LAYER] = current
    st.selectbox(
        f"Layer, {place + 1} of {len(names)} from the image on",
        names,
        format_func=lambda name: f"{layers[name].title}: {layers[name].words}",
        key=_LAYER,
        on_change=lambda: _open(st.session_state[_LAYER]),
    )
    return layers[current]


def step_buttons(names: Sequence[str], place: int, *, key: str, open_one: Callable[[str], None]) -> None:
    """Buttons that open the neighbors of the name at `place`."""
    with st.container(horizontal=True, gap="small", width="content"):
        for icon, step, words in (("chevron_left", -1, "Previous"), ("chevron_right", 1, "Next")):
            other = place + step
            st.button(
                words,
                icon=f":material/{icon}:",
                key=f"{key}{step}",
                disabled=not 0 <= other < len(names),
                on_click=partial(open_one, names[other % len(names)]),
            )


def _choose_group(every: list[str], taps: list[str], current: str) -> list[str]:
    """The names that are offered, the current one among them."""
    if not taps or len(taps) == len(every):
        return every
    group = _ALL if current not in taps else st.session_state.get(_ASKED_GROUP, _WORTH)
    st.session_state[_GROUP] = group
    st.segmented_control(
        "Layers",
        (_WORTH, _ALL),
        required=True,
        format_func={_WORTH: f"Worth seeing ({len(taps)})", _ALL: f"All layers ({len(every)})"}.__getitem__,
        key=_GROUP,
        on_change=partial(_grouped, every, taps, current),
        help=_GROUP_HELP,
    )
    return taps if group == _WORTH else every


def _grouped(every: list[str], taps: list[str], current: str) -> None:
    """Where only those worth seeing are left, the last of them before the current layer is shown."""
    st.session_state[_ASKED_GROUP] = st.session_state[_GROUP]
    if st.session_state[_GROUP] == _WORTH and current not in taps:
        before = [name for name in taps if every.index(name) <= every.index(current)]
        _open((before or taps)[-1 if before else 0])


def _open(name: str) -> None:
    change_link(layer=name, unit="", place="", page="")

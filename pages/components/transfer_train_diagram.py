"""The freeze diagram: a network from image to head, every stage a tile with a switch between frozen and learning.

In the form, what a tile looks like follows its switch in the browser, so that nothing waits for the server. While a
network trains, its switches are buttons: a button has no position of its own that a browser could still tell after the
training has moved on, which would count as a click and move the stage back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

FROZEN = ":blue-badge[:material/ac_unit: frozen]"
LEARNING = ":orange-badge[:material/local_fire_department: learning]"


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One stage.

    Attributes:
        key: Name in `transfer.frozen`.
        title: What a person reads.
        learning: Whether its switch is on.
        note: What stands behind the state, such as until when it is frozen; Markdown.
        rate: Factor on its learning rate.
        fixed: Whether its switch cannot be moved any more.
    """

    key: str
    title: str
    learning: bool
    note: str = ""
    rate: float = 1.0
    fixed: bool = False


def draw_style() -> None:
    """Add the diagram's rules to the page; once is enough."""
    st.html(f"<style>{Path(__file__).with_suffix('.css').read_text(encoding='utf-8')}</style>")


def draw_diagram(
    name: str,
    tiles: Sequence[Tile],
    *,
    on_switch: Callable[[str, bool], None],
    image: str,
    cost: Callable[[str], None],
    head: Callable[[], None],
    live: bool = False,
) -> None:
    """Draw the network.

    Args:
        name: Beginning of the keys of the tiles and switches, `<name>_<stage>`; the container is `<name>_diagram`.
        tiles: The stages, input side first.
        on_switch: Callback with the key of the stage whose switch was moved, and whether it is to learn.
        image: What the network is shown, as HTML.
        cost: Draws what the stage with this key costs.
        head: Draws what stands in the head's tile.
        live: Whether others than the person who looks move the switches too.
    """
    draw_switch = _draw_button if live else _draw_switch
    with st.container(key=f"{name}_diagram"):
        with st.container(key="transfer_tile_image"):
            st.html(f"<div class='lab-tile-image'>{image}</div>")
        for tile in tiles:
            with st.container(key=f"transfer_tile_{name}_{tile.key}"):
                draw_switch(f"{name}_{tile.key}", tile, on_switch)
                _draw_state(f"{name}_{tile.key}", tile)
                cost(tile.key)
        with st.container(key="transfer_tile_head"):
            st.html("<div class='lab-tile-head'>Head</div>")
            head()


def _draw_switch(name: str, tile: Tile, on_switch: Callable[[str, bool], None]) -> None:
    key, default = _switch_key(name, tile.learning)
    st.toggle(tile.title, default, key, on_change=_hear, args=(key, tile.key, on_switch))


def _draw_button(name: str, tile: Tile, on_switch: Callable[[str, bool], None]) -> None:
    """A button that looks like a switch; where it stands, the style reads off the tile's state."""
    st.button(
        tile.title, key=name, type="tertiary", on_click=on_switch, args=(tile.key, not tile.learning),
        disabled=tile.fixed,
    )  # fmt: skip


def _draw_state(name: str, tile: Tile) -> None:
    rate = f" :small[× {tile.rate:.3g}]" if tile.learning and tile.rate != 1 else ""
    with st.container(key=f"transfer_{'on' if tile.learning else 'off'}_{name}"):
        st.markdown(f"{tile.note or (LEARNING if tile.learning else FROZEN)}{rate}")


def _switch_key(name: str, learning: bool) -> tuple[str, bool]:
    """The key of a switch that shows `learning`, and where it stood at first.

    It is another switch whenever anything but its user has moved it, such as another way to freeze, and none is ever
    set through the session: what the browser still says of a switch that is gone counts for nothing.
    """
    turns = f"{name}_turns"
    number, default = st.session_state.setdefault(turns, (0, learning))
    key = f"{name}_{number}" if number else name
    if st.session_state.get(key, default) != learning:
        number, default = st.session_state[turns] = (number + 1, learning)
        key = f"{name}_{number}"
    return key, default


def _hear(key: str, stage: str, on_switch: Callable[[str, bool], None]) -> None:
    on_switch(stage, st.session_state[key])

"""The freeze diagram: a network from image to head, every stage a tile with a switch between frozen and learning.

What a tile looks like follows its switch in the browser, so that nothing waits for the server.
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
        fixed: Why its switch cannot be moved now; empty where it can.
    """

    key: str
    title: str
    learning: bool
    note: str = ""
    rate: float = 1.0
    fixed: str = ""


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
) -> None:
    """Draw the network.

    Args:
        name: Beginning of the keys of the tiles and switches, `<name>_<stage>`; the container is `<name>_diagram`.
        tiles: The stages, input side first.
        on_switch: Callback with the key of the stage whose switch was moved, and whether it is to learn.
        image: What the network is shown, as HTML.
        cost: Draws what the stage with this key costs.
        head: Draws what stands in the head's tile.
    """
    with st.container(key=f"{name}_diagram"):
        with st.container(key="transfer_tile_image"):
            st.html(f"<div class='lab-tile-image'>{image}</div>")
        for tile in tiles:
            with st.container(key=f"transfer_tile_{name}_{tile.key}"):
                _draw_tile(name, tile, on_switch)
                cost(tile.key)
        with st.container(key="transfer_tile_head"):
            st.html("<div class='lab-tile-head'>Head</div>")
            head()


def _draw_tile(name: str, tile: Tile, on_switch: Callable[[str, bool], None]) -> None:
    key, default = _switch_key(f"{name}_{tile.key}", tile.learning)
    st.toggle(
        tile.title,
        default,
        key,
        on_change=_hear,
        args=(key, tile.key, on_switch),
        disabled=bool(tile.fixed),
        help=tile.fixed or None,
    )
    rate = f" :small[× {tile.rate:.3g}]" if tile.learning and tile.rate != 1 else ""
    st.markdown(f"{tile.note or (LEARNING if tile.learning else FROZEN)}{rate}")


def _switch_key(name: str, learning: bool) -> tuple[str, bool]:
    """The key of a switch that shows `learning`, and where it stood at first.

    It is another switch whenever anybody but its user has moved it, and none is ever set through the session: a page
    that is drawn again every second may hear from the browser where a switch stood before the browser took that over,
    which would count as a click. What the browser says of a switch that is gone counts for nothing.
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

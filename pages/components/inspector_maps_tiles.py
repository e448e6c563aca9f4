"""Small pictures in a grid, one flat square a number, of which one can be chosen: feature maps, filters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.figures.feature_maps import palette

_ALIGNED = 4
_SIDE_PX = 68


@dataclass(frozen=True, kw_only=True, eq=False)
class Tiles:
    """What a grid shows.

    Attributes:
        keys: What each tile is called between page and browser.
        labels: Below the tiles.
        words: Each tile in words, for a pointer that rests on it and for those who cannot see it.
        pictures: uint8, levels of the palette (n, h, w) or colors (n, h, w, 3).
    """

    keys: Sequence[int]
    labels: Sequence[str]
    words: Sequence[str]
    pictures: npt.NDArray[np.uint8]


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    css, js = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".css", ".js"))
    return component("lab_maps", html="<div class='lab-maps'></div>", css=css, js=js, isolate_styles=False)


def choose_tile(
    tiles: Tiles,
    *,
    key: str,
    label: str,
    hint: str,
    chosen: int | None,
    on_choose: Callable[[int], None],
    side_px: int = _SIDE_PX,
) -> None:
    """Show tiles; calls back with the key of the one that is chosen.

    Args:
        tiles: What is shown.
        key: Name of the grid on the page.
        label: What it shows, for those who cannot see it.
        hint: Below it while no tile is pointed at.
        chosen: Key of the tile that is marked.
        on_choose: Called before the page is drawn again.
        side_px: Width of a tile below which another column is not begun.
    """

    def told() -> None:
        found = st.session_state[key].get("chosen")
        if type(found) is int and found in tiles.keys:
            on_choose(found)

    _component()(key=key, data=_packed(tiles, label, hint, chosen, side_px), on_chosen_change=told)


def _packed(tiles: Tiles, label: str, hint: str, chosen: int | None, side_px: int) -> bytes:
    height, width = tiles.pictures.shape[1:3]
    facts = zip(tiles.keys, tiles.labels, tiles.words, strict=True)
    header = {
        "label": label,
        "hint": hint,
        "chosen": chosen,
        "side": side_px,
        "palette": palette().ravel().tolist(),
        "channels": 3 if tiles.pictures.ndim == 4 else 1,
        "tiles": [
            {"key": key, "label": name, "words": words, "width": width, "height": height} for key, name, words in facts
        ],
    }
    return packed(header, [tiles.pictures], free=("chosen",))


def packed(header: Mapping[str, object], arrays: Sequence[np.ndarray], *, free: Sequence[str] = ()) -> bytes:
    """A header and arrays as the browser's code reads them; `digest` says whether anything but `free` has changed."""
    bodies = [np.ascontiguousarray(array).tobytes() for array in arrays]
    digest = hashlib.blake2b(digest_size=12)
    digest.update(json.dumps({name: value for name, value in header.items() if name not in free}).encode())
    for body in bodies:
        digest.update(body)
    text = json.dumps({**header, "digest": digest.hexdigest()}, ensure_ascii=False, separators=(",", ":")).encode()
    padding = b" " * (-len(text) % _ALIGNED)
    text += padding
    return b"".join((len(text).to_bytes(_ALIGNED, "little"), text, *bodies))

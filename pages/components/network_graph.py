"""The interactive drawing of a network's graph: blocks open and close, a layer tells its facts, shapes stand at lines.

The browser only draws; every opening asks `cnncore.figures.graph` for a new layout, which takes a few milliseconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.figures.graph import draw_graph
from cnncore.graph import Graph, read_graph
from pages.components.waiting import fill_in, inquire

HEIGHT = 680
_MOST_OPEN = 2_000
_CAPTION = (
    "From top to bottom: what the network does with one image while it trains. Beside the lines stands the shape of "
    "what flows, channels × height × width; shortcuts are red. Equal blocks in a row are drawn "
    "once, with their number. Drag or scroll to move, Ctrl and the wheel or two fingers to zoom."
)


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    css, js = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".css", ".js"))
    html = f"<div class='lab-graph' style='height:{HEIGHT}px'></div>"
    return component("lab_network_graph", html=html, css=css, js=js, isolate_styles=False)


@st.cache_data(max_entries=50, show_spinner=False)
def _drawing(graph_json: str, opened: tuple[str, ...] | None) -> bytes:
    return draw_graph(_graph(graph_json), opened).to_bytes()


@st.cache_resource(max_entries=10, show_spinner=False)
def _graph(graph_json: str) -> Graph:
    return read_graph(json.loads(graph_json))


def network_graph(graph_json: str, key: str) -> None:
    """Show a graph; which blocks are open is kept as long as `key` stays the same.

    Args:
        graph_json: What `cnncore.graph.Graph.to_dict` gave, as JSON.
        key: Name of the drawing on the page.
    """
    state = st.session_state.get(key) or {}
    drawing = _drawing(graph_json, _opened(state.get("open")))
    _component()(key=key, data=drawing, height=HEIGHT, on_open_change=lambda: None)


def _opened(found: object) -> tuple[str, ...] | None:
    """The ids of the open blocks that a browser sent; `None` if it sent none, or nonsense."""
    if not isinstance(found, list | tuple) or len(found) > _MOST_OPEN:
        return None
    return tuple(sorted({name for name in found if isinstance(name, str)}))


def draw_network(model: Mapping[str, object], in_shape: tuple[int, int, int], num_classes: int, key: str) -> None:
    """Ask for the graph of a network and show it; the place keeps its height meanwhile.

    It fills in by itself and must not stand inside another part that does (`waiting.fill_in`).

    Args:
        model: The fields of `cnncore.config.ModelConfig`; missing ones count as not set.
        in_shape: Channels, height and width of the images.
        num_classes: Number of classes.
        key: Name of the drawing on the page.
    """
    request = {"model": dict(model), "in_shape": list(in_shape), "num_classes": num_classes}
    # Another network begins with its own selection of open blocks.
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:12]
    fill_in(key, lambda: _draw(request, key, f"{key}_{digest}"))


def _draw(request: Mapping[str, Any], key: str, drawing_key: str) -> None:
    reply = inquire(f"graph_{key}", "graph", request)
    if reply.error:
        st.caption(f"{reply.error.message} {reply.error.hint}".strip())
    elif reply.pending or reply.answer is None:
        with st.container(key=f"waiting_{key}", height=HEIGHT, border=True):
            st.caption("The drawing of the network appears here.")
    else:
        network_graph(json.dumps(reply.answer.data), drawing_key)
    st.caption(_CAPTION)

"""What the Inspector looks at, and how a link says it: `?network=run:ID&picture=…&view=…`, and what a view adds."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.components.links import address

PARAMS = (
    "network",
    "picture",
    "view",
    "with",
    "layer",
    "unit",
    "place",
    "class",
    "method",
    "images",
    "split",
    "part",
    "scale",
    "order",
    "page",
    "filter",
    "tensor",
    "settings",
    "projection",
    "color",
    "marked",
    "most",
    "points",
    "whole",
    "aim",
    "seed",
    "cell",
    "bins",
    "change",
)
"""`with` names further networks, with commas between; `part` is the part of a view; the rest is as the views say."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """A network and a picture.

    Attributes:
        network: By `cnncore.runs.subjects`.
        title: What the network is called.
        stamp: Changes whenever its weights do.
        picture: By `cnncore.images.picture_reference`; empty where none is chosen.
        size: Height and width in pixels that the network takes.
        classes: Names of its classes.
        channels: 3, or 1 for gray.
    """

    network: str
    title: str
    stamp: str
    picture: str
    size: int
    classes: tuple[str, ...]
    channels: int = 3

    @property
    def subject(self) -> dict[str, Any]:
        """The network, as questions have it."""
        return {"network": self.network, "stamp": self.stamp}

    @property
    def request(self) -> dict[str, Any]:
        """The network and the picture, as questions have them."""
        return {**self.subject, "picture": self.picture}


def param(name: str) -> str:
    """A parameter of the address; empty where it is missing."""
    return str(st.query_params.get(name, ""))


def change_link(**values: str) -> None:
    """Change parameters of the address, `class_` and `with_` for those two; an empty value removes one.

    All at once, so that it is one step back in the browser.
    """
    changed = {name.rstrip("_"): value for name, value in values.items()}
    kept = {name: value for name, value in st.query_params.to_dict().items() if name not in changed}
    st.query_params.from_dict({**kept, **{name: value for name, value in changed.items() if value}})


@st.fragment
def draw_share(look: Look) -> None:
    """The button that shows the link to what is looked at, and the command for the same.

    Views change the address without drawing the page anew, so both are made when the button is pressed.
    """
    opened = st.popover("Copy link", icon=":material/link:", type="tertiary", key="inspector_share", on_change="rerun")
    if not opened.open:
        return
    with opened:
        st.caption("Opens this page with the same network, picture and view.")
        params = {name: param(name) for name in PARAMS if param(name)}
        params |= {"network": look.network} | ({"picture": look.picture} if look.picture else {})
        st.code(address(st.context.url or "", params), language=None, wrap_lines=True)
        if params.get("view", "maps") in ("maps", "why"):
            st.caption("The same picture from the command line:")
            st.code(command_line(look, params), language="bash", wrap_lines=True)


def command_line(look: Look, params: Mapping[str, str]) -> str:
    """The command that draws what these parameters show: the maps of a layer, else why the network says what it says.

    Texts of an address that cannot be taken are quoted, so that a shell takes them as texts too.
    """
    view, method = params.get("view", "maps"), params.get("method", "").partition(",")[0]
    words = ["python", "-m", "cnncore", "inspect", look.network, look.picture or "IMAGE"]
    if view == "maps":
        words += ["--method", "maps"]
    elif view == "why" and method:
        words += ["--method", method]
    if params.get("layer") and (view == "maps" or (view == "why" and method in ("", "gradcam"))):
        words += ["--layer", params["layer"]]
    if view == "maps" and params.get("unit"):
        words += ["--unit", params["unit"]]
    place = params.get("class", "")
    if view == "why" and place.isascii() and place.isdigit() and int(place[:9]) < len(look.classes):
        words += ["--class", look.classes[int(place[:9])]]
    return shlex.join(words)

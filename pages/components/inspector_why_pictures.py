"""Pictures with maps over them as the view Why draws them and gives them away: PNG, CSV, and a bar for the colors."""

from __future__ import annotations

import base64
import hashlib
import html
import io

import numpy as np
import numpy.typing as npt
import streamlit as st
from PIL import Image

from cnncore.images.heat_map import COLORS, SIGNED_COLORS, Picture, map_colors, map_over

LEAST_PX = 224
"""Smaller pictures are given away enlarged, each pixel a square."""

Map = npt.NDArray[np.floating]


def drawn(pixels: Picture, values: Map, *, signed: bool, show: str, opacity: int) -> Picture:
    """The picture, the map over it, or the map, uint8 (H, W, C).

    Args:
        pixels: uint8 (H, W, C).
        values: The map, (H, W).
        signed: Whether its values can speak against the class.
        show: over, map or picture.
        opacity: Of the map over the picture where it is strongest, in percent.
    """
    if show == "picture":
        return pixels
    if show == "map":
        return map_colors(values, signed=signed)
    return map_over(pixels, values, signed=signed, opacity=opacity / 100)


def png(picture: Picture, least: int = LEAST_PX) -> bytes:
    """A picture uint8 (H, W, C) as PNG, small ones enlarged without blur to `least` pixels at least."""
    factor = -(-least // max(picture.shape[:2]))
    large = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(large[..., 0] if large.shape[-1] == 1 else large).save(buffer, format="PNG")
    return buffer.getvalue()


def csv(values: Map) -> bytes:
    """A map as numbers with commas between, one line a row of pixels."""
    buffer = io.BytesIO()
    np.savetxt(buffer, values, fmt="%.6g", delimiter=",")
    return buffer.getvalue()


def source(pixels: Picture, values: Map, *, signed: bool, show: str, opacity: int) -> str:
    """The address of what `drawn` draws, which holds it; drawn once for all who look at the same."""
    digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes() + np.ascontiguousarray(values).tobytes())
    return _source(digest.hexdigest(), signed, show, opacity, pixels, values)


@st.cache_data(max_entries=300, show_spinner=False)
def _source(digest: str, signed: bool, show: str, opacity: int, _pixels: Picture, _values: Map) -> str:
    picture = drawn(_pixels, _values, signed=signed, show=show, opacity=opacity)
    return f"data:image/png;base64,{base64.b64encode(png(picture, least=1)).decode()}"


def figure(address: str, alt: str) -> str:
    """A picture as HTML, as wide as there is room, its pixels sharp."""
    return f"<div class='lab-why-picture'><img alt='{html.escape(alt, quote=True)}' src='{address}'></div>"


def bar(low: str, high: str, *, signed: bool) -> str:
    """What the colors of a map mean, as HTML: the words at its ends."""
    colors = SIGNED_COLORS if signed else COLORS
    stops = ",".join(f"rgb({red},{green},{blue})" for red, green, blue in colors)
    return (
        f"<div class='lab-why-bar'><i style='background:linear-gradient(to right,{stops})'></i>"
        f"<span>{html.escape(low)}</span><span>{html.escape(high)}</span></div>"
    )


STYLE = """<style>
[class*="st-key-why_slot_"] { min-height: 17rem; }
.lab-why-picture { background: rgba(128,128,128,.15); border-radius: 6px; overflow: hidden; max-width: 22rem;
  aspect-ratio: 1; }
.lab-why-picture img { display: block; width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated; }
.lab-why-bar { display: grid; grid-template-columns: 1fr 1fr; gap: .2rem .6rem; max-width: 22rem; margin-top: .4rem;
  font-size: .78rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.lab-why-bar i { grid-column: 1 / -1; height: .6rem; border-radius: 3px; border: 1px solid rgba(128,128,128,.35); }
.lab-why-bar span { overflow-wrap: anywhere; }
.lab-why-bar span:last-child { text-align: right; }
</style>"""

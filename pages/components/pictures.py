"""Small pictures made of HTML: rows of images, the networks by year."""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image

from cnncore.catalog import FAMILIES, MODELS
from cnncore.figures.theme import FAMILY_COLORS
from pages.components.waiting import inquire
from pages.components.wording import compact

_NUM_DIGITS = 10
_SIZES = ("lenet5", "alexnet", "vgg16", "googlenet", "resnet50", "resnet20")
"""Networks whose sizes Home shows."""


def strip(images: np.ndarray, captions: Sequence[str] = ()) -> str:
    """A row of images `(N, H, W, C)` uint8, with captions below where there are any, as HTML."""
    figures: list[str] = []
    for index, image in enumerate(images):
        caption = html.escape(captions[index]) if captions else ""
        below = f"<figcaption title='{caption}'>{caption}</figcaption>" if caption else ""
        figures.append(f"<figure><img alt='{caption}' src='{_data_url(image)}'>{below}</figure>")
    return f"<div class='lab-strip'>{''.join(figures)}</div>"


def blank(count: int) -> np.ndarray:
    """Gray images `(count, 1, 1, 1)` that keep the place of those to come."""
    return np.full((count, 1, 1, 1), 128, np.uint8)


def _data_url(image: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def draw_digits() -> None:
    """One digit of each class; gray fields until they are there."""
    reply = inquire("digits", "samples", {"data": {"dataset": "mnist5k"}, "max_images": _NUM_DIGITS})
    known = reply.answer.arrays.get("images") if reply.answer else None
    images = blank(_NUM_DIGITS) if known is None else known
    with st.container(key="digits" if known is not None else "waiting_digits"):
        st.html(strip(images))


def draw_networks() -> None:
    """The families with the numbers of their networks, in their colors."""
    families = Counter(spec.family for spec in MODELS.values())
    chips = [
        f"<span class='lab-chip'><i style='background:{FAMILY_COLORS[family]}'></i>"
        f"{html.escape(title)}<small>{families[family]}</small></span>"
        for family, title in FAMILIES.items()
        if family in families
    ]
    st.html(f"<div class='lab-chips'>{''.join(chips)}</div>")


def draw_sizes() -> None:
    """The parameters of some networks as bars."""
    keys = [key for key in _SIZES if key in MODELS]
    largest = max(MODELS[key].num_params for key in keys)
    rows = [
        f"<div>{html.escape(MODELS[key].title)}</div><div class='lab-bar'><i style='width:"
        f"{max(0.5, 100 * MODELS[key].num_params / largest):.1f}%;background:{FAMILY_COLORS[MODELS[key].family]}'></i>"
        f"<small>{compact(MODELS[key].num_params)}</small></div>"
        for key in keys
    ]
    st.html(f"<div class='lab-bars'>{''.join(rows)}</div>")


_PHOTO = (
    "<svg viewBox='0 0 24 24' width='26' height='26' fill='none' stroke='currentColor' stroke-width='1.6'>"
    "<rect x='3' y='4' width='18' height='16' rx='2'/><circle cx='8.5' cy='9.5' r='1.6'/>"
    "<path d='M4 18l5.5-5.5 3 3L16 12l4 4.5'/></svg>"
)


def draw_freezing() -> None:
    """A network whose frozen stages pass on what they know to a head that learns."""
    stages = "".join(f"<i style='height:{height}rem'>❄</i>" for height in (3.4, 2.9, 2.4, 1.9, 1.5))
    st.html(
        "<div class='lab-freezing' role='img' aria-label='Frozen stages of a network, then a head that learns'>"
        f"{_PHOTO}{stages}<em>learns</em>"
        "<span><small>cat</small><u style='width:92%'></u><small>dog</small><u style='width:8%'></u></span></div>"
    )

"""Small pictures made of HTML: rows of images, the networks by year."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image

from cnncore.catalog import MODELS
from cnncore.figures.theme import FAMILY_COLORS
from pages.components.waiting import inquire

_NUM_DIGITS = 10


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
    """The networks with their years, in the colors of their families."""
    chips = [
        f"<span class='lab-chip'><i style='background:{FAMILY_COLORS[spec.family]}'></i>"
        f"{html.escape(spec.title)}<small>{spec.year}</small></span>"
        for spec in MODELS.values()
    ]
    st.html(f"<div class='lab-chips'>{''.join(chips)}</div>")

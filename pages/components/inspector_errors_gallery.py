"""Images with what a network said of them, as cards of which each opens in the Inspector."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.figures import theme
from pages.components.transfer_use_answers import data_url

_SMALL = 96
"""Pixels below which an image is enlarged without smoothing."""
_SHEET_SIDE = 128

_CSS = f"""
.lab-cases {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: .5rem;
  color: var(--st-text-color); font-family: var(--st-font); }}
@media (max-width: 640px) {{ .lab-cases {{ grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); }} }}
.lab-cases button {{ display: block; min-width: 0; padding: 0 0 .35rem; text-align: left; font: inherit; color: inherit;
  cursor: pointer; overflow: hidden; border-radius: .5rem; background: none;
  border: 1px solid var(--st-border-color, #8884); border-top: 3px solid {theme.WRONG}; }}
.lab-cases button.right {{ border-top-color: {theme.RIGHT}; }}
.lab-cases button:hover {{ background: color-mix(in srgb, var(--st-text-color) 7%, transparent); }}
.lab-cases button:focus-visible, .lab-cases button[aria-current=true] {{ outline: 2px solid var(--st-primary-color); }}
.lab-cases img {{ display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: #8881; }}
.lab-cases img.small {{ image-rendering: pixelated; }}
.lab-cases span {{ display: flex; justify-content: space-between; gap: .3rem; padding: 0 .45rem; font-size: .8rem;
  line-height: 1.4; white-space: nowrap; font-variant-numeric: tabular-nums; }}
.lab-cases span i {{ font-style: normal; overflow: hidden; text-overflow: ellipsis; }}
.lab-cases span.said {{ padding-top: .3rem; font-weight: 600; }}
.lab-cases span.other {{ opacity: .75; }}
"""

_JS = """
function line(card, kind, [name, share]) {
  const node = document.createElement('span');
  node.className = kind;
  for (const [tag, text] of [['i', name], ['small', share]]) {
    const part = document.createElement(tag);
    part.textContent = text;
    node.appendChild(part);
  }
  card.appendChild(node);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.lab-cases');
  const text = new TextDecoder().decode(data);
  root.open = (place) => setTriggerValue('opened', place);
  // What is there already stays, and with it the focus.
  if (root.text === text) return;
  root.text = text;
  const { label, chosen, tiles } = JSON.parse(text);
  root.setAttribute('aria-label', label);
  root.replaceChildren(...tiles.map((tile) => {
    const card = document.createElement('button');
    card.type = 'button';
    card.className = tile.right ? 'right' : '';
    card.title = tile.words;
    card.setAttribute('aria-label', tile.words);
    card.setAttribute('aria-current', tile.key === chosen);
    const image = document.createElement('img');
    image.src = tile.src;
    image.alt = '';
    image.className = tile.small ? 'small' : '';
    card.appendChild(image);
    line(card, 'said', tile.said);
    line(card, 'other', tile.other);
    card.onclick = () => root.open(tile.key);
    return card;
  }));
}
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One image.

    Attributes:
        key: What it is called in links.
        said: What the network says of it, and how probable it finds that.
        other: The true class where that is another one, or the second most probable one, and its probability.
        right: Whether the network is right.
    """

    key: str
    said: tuple[str, str]
    other: tuple[str, str]
    right: bool


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    html = "<div class='lab-cases' role='group'></div>"
    return component("lab_cases", html=html, css=_CSS, js=_JS, isolate_styles=False)


def show_cases(
    cases: Sequence[Case], pixels: np.ndarray, *, key: str, label: str, chosen: str, on_open: Callable[[str], None]
) -> None:
    """Draw the cards.

    Args:
        cases: N of them.
        pixels: Their images, uint8 (N, H, W, C).
        key: Name of the gallery on the page.
        label: What it shows, for those who cannot see it.
        chosen: Key of the image that is marked.
        on_open: Called with the key of the one that was clicked.
    """

    def told() -> None:
        found = opened_case(st.session_state.get(key), cases)
        if found is not None:
            on_open(found)

    small = max(pixels.shape[1:3]) < _SMALL
    tiles = [_tile(case, data_url(image), small=small) for case, image in zip(cases, pixels, strict=True)]
    data = {"label": label, "chosen": chosen, "tiles": tiles}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    _component()(key=key, data=text, on_opened_change=told)


def opened_case(state: object, cases: Sequence[Case]) -> str | None:
    """The key that a browser sent, where it is that of a case."""
    found = state.get("opened") if isinstance(state, Mapping) else None
    return found if isinstance(found, str) and found in {case.key for case in cases} else None


def _tile(case: Case, source: str, *, small: bool) -> dict[str, Any]:
    words = f"{' '.join(case.said)}; {' '.join(case.other)}. Open it in the Inspector."
    facts = {"said": case.said, "other": case.other, "right": case.right}
    return {"key": case.key, "src": source, "small": small, "words": words, **facts}


def sheet_png(pixels: np.ndarray) -> bytes:
    """Images (N, H, W, C), at least one, side by side as one PNG; small ones are enlarged without smoothing."""
    count, height, width, channels = pixels.shape
    factor = max(1, _SHEET_SIDE // max(height, width))
    large = pixels.repeat(factor, axis=1).repeat(factor, axis=2)
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    gap = 4
    sheet = np.full((rows * (height * factor + gap), columns * (width * factor + gap), channels), 255, np.uint8)
    for place, image in enumerate(large):
        top, left = place // columns * (height * factor + gap), place % columns * (width * factor + gap)
        sheet[top : top + height * factor, left : left + width * factor] = image
    buffer = io.BytesIO()
    Image.fromarray(sheet[:-gap, :-gap, 0] if channels == 1 else sheet[:-gap, :-gap]).save(buffer, "PNG")
    return buffer.getvalue()

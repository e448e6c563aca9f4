"""A handful of images with what the network says of them, as HTML cards."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnncore.figures import theme
from cnncore.runs.events import Examples

MAX_SIDE = 160
"""Pixels; larger images are shrunk, smaller ones are enlarged by the browser without smoothing."""
_SHOWN_GUESSES = 3


def example_cards(examples: Examples, classes: Sequence[str]) -> str:
    """Cards of all examples, the wrong ones first: image, true class, most probable classes with bars.

    Names of classes come from outside and are escaped.
    """
    wrong = examples.top[:, 0] != examples.labels
    order = np.argsort(~wrong, kind="stable")
    cards = "".join(_card(examples, int(index), classes, wrong=bool(wrong[index])) for index in order)
    return f"{STYLE}<div class='lab-examples'>{cards}</div>"


def image_uri(pixels: npt.NDArray[np.uint8]) -> str:
    """An image `(H, W, C)` uint8, `C` 1 or 3, as a data URI."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _card(examples: Examples, index: int, classes: Sequence[str], *, wrong: bool) -> str:
    label = int(examples.labels[index])
    guesses = zip(examples.top[index][:_SHOWN_GUESSES], examples.probabilities[index], strict=False)
    rows = "".join(_guess(int(guess), float(share), label, classes) for guess, share in guesses)
    really = html.escape(classes[label])
    said = html.escape(classes[int(examples.top[index, 0])])
    verdict = f"✗ really {really}" if wrong else f"✓ {really}"
    alt = f"{really}, recognized as {said}"
    return (
        f"<figure class='{'wrong' if wrong else 'right'}'><img src='{image_uri(examples.images[index])}' alt='{alt}'>"
        f"<figcaption><b>{verdict}</b>{rows}</figcaption></figure>"
    )


def _guess(guess: int, share: float, label: int, classes: Sequence[str]) -> str:
    name = html.escape(classes[guess])
    kind = "true" if guess == label else "false"
    return (
        f"<span class='guess {kind}'><span class='bar' style='width:{100 * share:.0f}%'></span>"
        f"<span class='name'>{name}</span><span class='share'>{100 * share:.0f} %</span></span>"
    )


STYLE = f"""<style>
.lab-examples {{ display: grid; grid-template-columns: repeat(12, minmax(0, 1fr)); gap: .5rem; }}
@media (max-width: 1100px) {{ .lab-examples {{ grid-template-columns: repeat(6, minmax(0, 1fr)); }} }}
@media (max-width: 640px) {{ .lab-examples {{ grid-template-columns: repeat(3, minmax(0, 1fr)); }} }}
.lab-examples figure {{ margin: 0; border: 1px solid var(--st-border-color, #8884); border-radius: .5rem;
  overflow: hidden; border-top: 3px solid {theme.RIGHT}; }}
.lab-examples figure.wrong {{ border-top-color: {theme.WRONG}; }}
.lab-examples img {{ display: block; width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated;
  background: #0001; }}
.lab-examples figcaption {{ padding: .4rem .5rem .5rem; font-size: .8rem; font-variant-numeric: tabular-nums; }}
.lab-examples b {{ display: block; margin-bottom: .25rem; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }}
.lab-examples .guess {{ position: relative; display: flex; justify-content: space-between; gap: .5rem;
  padding: 0 .3rem; margin-top: 2px; border-radius: 3px; overflow: hidden; }}
.lab-examples .bar {{ position: absolute; inset: 0 auto 0 0; opacity: .32; background: {theme.NEUTRAL}; }}
.lab-examples .true .bar {{ background: {theme.RIGHT}; }}
.lab-examples .name {{ overflow: hidden; text-overflow: ellipsis; white-space: nowrap; position: relative; }}
.lab-examples .share {{ position: relative; white-space: nowrap; }}
</style>"""

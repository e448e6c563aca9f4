"""Tiles with a number and a small curve, as HTML: light enough to be replaced every second."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from cnncore.figures import theme

WIDTH, HEIGHT = 100.0, 28.0


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One tile; `curve` may hold NaN, which leaves a gap."""

    label: str
    value: str
    note: str = ""
    curve: Sequence[float] = ()
    color: str = theme.NEUTRAL


def tiles(shown: Sequence[Tile]) -> str:
    """The tiles in a row that breaks where the page is narrow; all have the same height, with or without a curve."""
    return f"<div class='lab-tiles'>{''.join(_tile(tile) for tile in shown)}</div>"


def sparkline(values: Sequence[float], color: str = theme.NEUTRAL) -> str:
    """A curve without axes as an image tag; empty with fewer than two numbers.

    An image, since the page removes drawings from HTML it is given.
    """
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return ""
    low, high = min(finite), max(finite)
    scale = (HEIGHT - 4) / (high - low) if high > low else 0.0
    points: list[str] = []
    lift = True
    for index, value in enumerate(values):
        if math.isfinite(value):
            x, y = index * WIDTH / (len(values) - 1), HEIGHT - 2 - (value - low) * scale
            points.append(f"{'M' if lift else 'L'}{x:.1f} {y:.1f}")
        lift = not math.isfinite(value)
    drawing = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH:g} {HEIGHT:g}' preserveAspectRatio='none'>"
        f"<path d='{''.join(points)}' fill='none' stroke='{color}' stroke-width='1.5' "
        "vector-effect='non-scaling-stroke'/></svg>"
    )
    return f'<img alt="" src="data:image/svg+xml,{quote(drawing)}">'


def _tile(tile: Tile) -> str:
    return (
        f"<div class='lab-tile'><div class='label'>{html.escape(tile.label)}</div>"
        f"<div><span class='value'>{html.escape(tile.value)}</span> <span class='note'>{html.escape(tile.note)}</span>"
        f"</div>{sparkline(tile.curve, tile.color)}</div>"
    )


STYLE = """<style>
.lab-tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .75rem; }
.lab-tile { border: 1px solid var(--st-border-color, #8884); border-radius: .5rem; padding: .6rem .8rem .5rem;
  height: 6.6rem; box-sizing: border-box; display: flex; flex-direction: column; min-width: 0;
  font-variant-numeric: tabular-nums; white-space: nowrap; overflow: hidden; }
.lab-tile .label { font-size: .85rem; opacity: .75; overflow: hidden; text-overflow: ellipsis; }
.lab-tile .value { font-size: 1.4rem; font-weight: 600; line-height: 1.5; }
.lab-tile .note { font-size: .8rem; opacity: .75; }
.lab-tile img { width: 100%; height: 1.6rem; margin-top: auto; object-fit: fill; }
@media (max-width: 640px) { .lab-tiles { gap: .5rem; } .lab-tile { padding: .5rem .6rem .4rem; } }
</style>"""

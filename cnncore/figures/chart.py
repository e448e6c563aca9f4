"""What a chart of the app consists of: plotly.js traces and layout as plain data, small enough to be sent every second.

Colors that depend on the theme are written as `INK`, `GRID` and `PAPER`; the browser fills them in.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

INK = "$ink"
GRID = "$grid"
PAPER = "$paper"

MAX_POINTS = 400
"""Most points of a line; a chart is some 600 pixels wide."""

Numbers = npt.NDArray[np.floating[Any]]
Trace = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart.

    Attributes:
        label: What it shows, in words for those who cannot see it.
        traces: Of plotly.js.
        layout: Of plotly.js; margins, colors and fonts are filled in by the page.
        height: In pixels.
        empty: What will appear, where there is nothing yet.
        signal: A number whose change the browser reports to the page.
        clickable: Whether the browser reports the place of a click to the page.
    """

    label: str
    traces: Sequence[Trace]
    layout: Mapping[str, Any] = field(default_factory=dict[str, Any])
    height: int = 320
    empty: str = ""
    signal: int = 0
    clickable: bool = False

    def to_bytes(self) -> bytes:
        """JSON for the browser; the same chart gives the same bytes, which are then not sent again."""
        parts = {
            "label": self.label,
            "traces": list(self.traces),
            "layout": dict(self.layout),
            "height": self.height,
            "empty": self.empty,
            "signal": self.signal,
            "clickable": self.clickable,
        }
        return json.dumps(parts, allow_nan=False, separators=(",", ":")).encode()


def encode(values: npt.ArrayLike) -> dict[str, str]:
    """Numbers as plotly.js reads them fastest: float32 in base64. NaN stays a gap; a matrix keeps its shape."""
    array = np.ascontiguousarray(values, dtype=np.float32)
    encoded = {"dtype": "f4", "bdata": base64.b64encode(array.tobytes()).decode()}
    return encoded if array.ndim == 1 else encoded | {"shape": ", ".join(str(size) for size in array.shape)}


def thin(x: Numbers, y: Numbers, limit: int = MAX_POINTS) -> tuple[Numbers, Numbers]:
    """At most `limit` of the points `(N,)`, among them every peak, trough and gap one could see.

    The points are divided into equal groups of 1, 2, 4, 8, … from the start, and the least, the greatest and, where
    there is one, a gap of each group stay. A growing line therefore keeps the points it has shown, rather than
    shimmering, until the groups double.
    """
    count = len(y)
    if count <= limit:
        return x, y
    gaps = ~np.isfinite(y)
    kept = 3 if gaps.any() else 2
    groups = max(1, (limit - 1) // kept)
    size = 1
    while -(-count // size) > groups:
        size *= 2
    padded = -(-count // size) * size
    grid = np.full(padded, np.nan)
    grid[:count] = np.where(gaps, np.nan, y)
    grid = grid.reshape(-1, size)
    missing = np.isnan(grid)
    starts = np.arange(0, padded, size)
    least = starts + np.where(missing, np.inf, grid).argmin(axis=1)
    greatest = starts + np.where(missing, -np.inf, grid).argmax(axis=1)
    chosen = [least, greatest, np.array([count - 1])]
    if kept == 3:
        chosen.append((starts + missing.argmax(axis=1))[missing.any(axis=1)])
    index = np.unique(np.concatenate(chosen))
    index = index[index < count]
    return x[index], y[index]


def line(name: str, x: Numbers, y: Numbers, *, color: str, width: float = 2.0, **more: Any) -> Trace:
    """A thinned line; `more` are further plotly.js attributes of the trace."""
    x, y = thin(x, y)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": encode(x),
        "y": encode(y),
        "line": {"color": color, "width": width},
        **more,
    }


def escape(text: str) -> str:
    """A text from outside as plotly.js shows it literally; it would read some HTML tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""How similar the maps of attribution methods stay while a network's weights become random, part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnncore.figures import theme
from cnncore.figures.chart import INK, Chart, Trace, escape

HEIGHT = 320
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")


def sanity_lines(depths: Sequence[str], similarity: Mapping[str, Sequence[float]], limit: float) -> Chart:
    """A line a method: the rank correlation of its map with that of the network as it is, against the random parts.

    Args:
        depths: What got random weights last, `D` names; the first one stands for the network as it is.
        similarity: By the method's title, `D` numbers from -1 to 1.
        limit: Below it a method notices that the weights are random.
    """
    places = list(range(len(depths)))
    least = min((min(values) for values in similarity.values() if values), default=0.0)
    layout: dict[str, Any] = {
        "uirevision": "sanity",
        "title": {
            "text": "Similarity to the map of the trained network",
            "x": 0,
            "xref": "paper",
            "font": {"size": 15, "color": INK},
        },
        "margin": {"l": 52, "r": 12, "t": 64, "b": 40},
        "hovermode": "x unified",
        "xaxis": {
            "title": {"text": "parts with random weights, from the output on", "standoff": 6},
            "tickvals": places,
            "ticktext": [str(place) for place in places],
            "range": [-0.2, max(len(depths) - 0.8, 0.2)],
        },
        "yaxis": {"title": {"text": "rank correlation"}, "range": [min(-0.1, least - 0.1), 1.05], "nticks": 6},
        "shapes": [_limit(limit)],
    }
    return Chart(
        label="Rank correlation of each method's map with that of the trained network, by how many parts are random",
        traces=[_line(row, title, values, depths) for row, (title, values) in enumerate(similarity.items())],
        layout=layout,
        height=HEIGHT,
        empty="The similarities appear here.",
    )


def _line(row: int, title: str, values: Sequence[float], depths: Sequence[str]) -> Trace:
    color = theme.SERIES[row % len(theme.SERIES)]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(title),
        "x": list(range(len(values))),
        "y": [float(value) for value in values],
        "line": {"color": color, "width": 2.2},
        "marker": {"size": 8, "symbol": _SYMBOLS[row % len(_SYMBOLS)]},
        "customdata": [f"random up to {escape(name)}" if name else "as trained" for name in depths],
        "hovertemplate": "%{y:.2f} (%{customdata})",
    }


def _limit(height: float) -> dict[str, Any]:
    dotted = {"color": theme.NEUTRAL, "width": 1.5, "dash": "dot"}
    return {
        "type": "line",
        "x0": 0,
        "x1": 1,
        "xref": "paper",
        "y0": height,
        "y1": height,
        "line": dotted,
        "layer": "below",
    }

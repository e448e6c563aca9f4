"""The ImageNet challenge year by year: how the error fell, and how the networks grew deeper."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cnncore.catalog.ilsvrc import ENTRIES, HUMAN_TOP5_ERROR, Entry
from cnncore.figures import theme
from cnncore.figures.chart import INK, PAPER, Chart, Trace


def winners_table() -> pd.DataFrame:
    """The entries of the challenge.

    Returns:
        Columns `year`, `name`, `place`, `top5_error` (percent), `depth` (NA: nothing deep), `family`, `source`.
    """
    rows = [
        {
            "year": entry.year,
            "name": entry.name,
            "place": entry.place,
            "top5_error": entry.top5_error,
            "depth": entry.depth or None,
            "family": entry.family,
            "source": entry.source,
        }
        for entry in ENTRIES
    ]
    return pd.DataFrame(rows).astype({"depth": "Int64"})


def timeline() -> Chart:
    """Top-5 error of the winners over the years, and below it the layers of their networks."""
    winners = [entry for entry in ENTRIES if entry.place == 1]
    others = [entry for entry in ENTRIES if entry.place > 1]
    first, last = winners[0].year, winners[-1].year
    traces: list[Trace] = [
        _errors(winners, "winner") | {"mode": "lines+markers+text", "line": {"color": theme.NEUTRAL}},
        _errors(others, "second place"),
        {
            "type": "scatter",
            "mode": "lines",
            "name": "a trained person",
            "x": [first - 0.4, last + 0.4],
            "y": [HUMAN_TOP5_ERROR] * 2,
            "line": {"color": INK, "width": 1.5, "dash": "dot"},
            "hovertemplate": f"one trained person: {HUMAN_TOP5_ERROR} %<extra></extra>",
        },
        _depths([entry for entry in ENTRIES if entry.depth]),
    ]
    return Chart(
        label="Top-5 error of the winners of the ImageNet challenge from 2010 to 2015, and the depth of their networks",
        traces=traces,
        layout={
            "hovermode": "closest",
            "margin": {"l": 58, "r": 16, "t": 40, "b": 36},
            "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.01, "yanchor": "bottom"},
            "xaxis": {
                "tickvals": list(range(first, last + 1)),
                "range": [first - 0.45, last + 0.6],
                "anchor": "y2",
                "showgrid": False,
            },
            "yaxis": {
                "domain": [0.38, 1],
                "range": [0, 32],
                "ticksuffix": " %",
                "title": {"text": "top-5 error", "standoff": 6},
            },
            "yaxis2": {"domain": [0, 0.3], "range": [0, 185], "title": {"text": "layers", "standoff": 6}},
        },
        height=560,
    )


_BESIDE = 0.19
"""Years by which two entries of the same year stand left and right of it."""


def _shift(entry: Entry) -> float:
    alone = sum(other.year == entry.year for other in ENTRIES) == 1
    return 0.0 if alone else _BESIDE * (1 if entry.place > 1 else -1)


_PLACES = {"GoogLeNet": "top center", "VGG": "middle right", "ResNet": "bottom center"}
"""Where the names stand whose usual place, top right, is taken by another point or the line of the trained person."""


def _label(entry: Entry) -> str:
    # One line higher, above the falling line.
    raised = "<br> " if _PLACES.get(entry.name) == "top center" else ""
    return f"{entry.name} {entry.top5_error:g} %{raised}"


def _errors(entries: Sequence[Entry], name: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": name,
        "x": [entry.year + (0 if entry.place == 1 else _shift(entry)) for entry in entries],
        "y": [entry.top5_error for entry in entries],
        "text": [_label(entry) for entry in entries],
        "textposition": [_PLACES.get(entry.name, "top right") for entry in entries],
        "textfont": {"size": 12, "color": INK},
        "cliponaxis": False,
        "marker": {
            "size": 13,
            "color": [theme.FAMILY_COLORS.get(entry.family, theme.NEUTRAL) for entry in entries],
            "symbol": [theme.FAMILY_SYMBOLS.get(entry.family, "circle") for entry in entries],
            "line": {"color": PAPER, "width": 1.5},
        },
        "customdata": [
            f"<b>{entry.name}</b>, {entry.year}, place {entry.place}<br>{entry.top5_error:g} % of the test images<br>"
            f"{entry.source}"
            for entry in entries
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _depths(entries: Sequence[Entry]) -> Trace:
    return {
        "type": "bar",
        "name": "layers with weights",
        "showlegend": False,
        "x": [entry.year + _shift(entry) for entry in entries],
        "y": [entry.depth for entry in entries],
        "yaxis": "y2",
        "width": 0.34,
        "text": [str(entry.depth) for entry in entries],
        "textposition": "outside",
        "textfont": {"size": 12, "color": INK},
        "marker": {"color": [theme.FAMILY_COLORS.get(entry.family, theme.NEUTRAL) for entry in entries]},
        "customdata": [entry.name for entry in entries],
        "hovertemplate": "%{customdata}: %{y} layers with weights<extra></extra>",
    }

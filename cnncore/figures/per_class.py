"""How well each class is recognized, as bars from the worst to the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnncore.figures import theme
from cnncore.figures.chart import INK, Chart, Trace, encode, escape
from cnncore.figures.intervals import wilson

Shares = npt.NDArray[np.float64]

MAX_BARS = 20
_SHORT = 15.0
"""Percent; shorter bars have their number beyond the interval, where there is room."""


def per_class_table(matrix: npt.NDArray[np.int64], classes: Sequence[str]) -> pd.DataFrame:
    """Columns `class`, `right`, `images`, `accuracy` (0 to 1 or NaN), `low`, `high` (95 %); the worst class first."""
    counts = matrix.sum(axis=1)
    right = matrix.diagonal()
    intervals = [wilson(int(hit), int(count)) for hit, count in zip(right, counts, strict=True)]
    table = pd.DataFrame(
        {
            "class": list(classes),
            "right": right,
            "images": counts,
            "accuracy": np.divide(right, counts, out=np.full(len(counts), np.nan), where=counts > 0),
            "low": [low for low, _ in intervals],
            "high": [high for _, high in intervals],
        }
    )
    return table.sort_values("accuracy", kind="stable", ignore_index=True)


def per_class(matrix: npt.NDArray[np.int64], classes: Sequence[str], split: str) -> Chart:
    """Accuracy of each class in percent with its 95 % interval; of many classes the worst. In the color of `split`."""
    table = per_class_table(matrix, classes).head(MAX_BARS)
    percent = 100 * table["accuracy"].to_numpy()
    low, high = (100 * table[name].to_numpy() for name in ("low", "high"))
    short = ~(percent >= _SHORT)
    names = [escape(name) for name in table["class"]]
    positions = list(range(len(table)))
    return Chart(
        label="Accuracy of each class in percent, the worst first",
        traces=[
            {
                "type": "bar",
                "orientation": "h",
                "x": encode(percent),
                "y": positions,
                "error_x": {
                    "type": "data",
                    "array": encode(high - percent),
                    "arrayminus": encode(percent - low),
                    "color": INK,
                    "thickness": 1,
                    "width": 3,
                },
                "marker": {"color": theme.SPLIT_COLORS.get(split, theme.NEUTRAL)},
                "text": ["" if beyond else _bar_text(share) for share, beyond in zip(percent, short, strict=True)],
                "textposition": "inside",
                "insidetextanchor": "start",
                "textfont": {"color": "#FFFFFF", "size": 12},
                "customdata": [
                    f"{name}: {right:,} of {images:,} right"
                    for name, right, images in zip(names, table["right"], table["images"], strict=True)
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
            },
            *_beyond(percent, high, short),
        ],
        layout={
            "uirevision": "per class",
            "showlegend": False,
            "margin": {"l": 60, "r": 12, "t": 8, "b": 44},
            "xaxis": {"range": [0, 101], "ticksuffix": " %", "title": {"text": "recognized", "standoff": 6}},
            "yaxis": {"tickvals": positions, "ticktext": names, "autorange": "reversed", "showgrid": False},
            "bargap": 0.25,
        },
        height=440,
    )


def _beyond(percent: Shares, high: Shares, short: npt.NDArray[np.bool_]) -> list[Trace]:
    """The numbers of the bars `(N,)` that are too short to hold them, right of their intervals."""
    places = np.flatnonzero(short).tolist()
    if not places:
        return []
    return [
        {
            "type": "scatter",
            "mode": "text",
            "x": encode(np.nan_to_num(high[places])),
            "y": places,
            "text": [f" {_bar_text(percent[place])}" for place in places],
            "textposition": "middle right",
            "textfont": {"color": INK, "size": 12},
            "hoverinfo": "skip",
        }
    ]


def _bar_text(percent: float) -> str:
    return f"{percent:.1f} %" if np.isfinite(percent) else "no images"

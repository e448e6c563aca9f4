"""How many images the classes of an image set have, and where they are: bars of training, validation and test."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnncore.figures import theme
from cnncore.figures.chart import PAPER, Chart, Trace, escape

MAX_BARS = 40
_BAR, _AROUND = 26, 92
_LONGEST_NAME = 22
_FEW = 5
"""Images up to which the axis names every number."""

PARTS = {"train": "training", "validation": "validation", "test": "test", "excluded": "excluded"}
"""What the columns of the table are called."""

_COLORS = {**theme.SPLIT_COLORS, "excluded": theme.NEUTRAL}
_PATTERNS = {"train": "", "validation": "/", "test": ".", "excluded": "x"}
"""Color is never the only sign."""


def balance_chart(table: pd.DataFrame) -> Chart:
    """One bar a class, in the order of the table; of more than `MAX_BARS` classes the smallest.

    Args:
        table: Columns `class`, `train`, `validation`, `test` and `excluded`: counts of images.
    """
    shown = table
    if len(table) > MAX_BARS:
        sizes = table[["train", "validation", "test"]].to_numpy().sum(axis=1)
        shown = table.iloc[np.argsort(sizes, kind="stable")[:MAX_BARS]]
    parts = [part for part in PARTS if part == "train" or shown[part].to_numpy().any()]
    most = int(shown[list(PARTS)].to_numpy().sum(axis=1).max(initial=0))
    positions = list(range(len(shown)))
    some = len(shown) < len(table)
    return Chart(
        label="Images of each class by split" + (f", the {MAX_BARS} smallest classes" if some else ""),
        traces=[_bars(part, shown, positions) for part in parts] if len(shown) else [],
        layout={
            "barmode": "stack",
            "hovermode": "closest",
            "uirevision": "balance",
            "margin": {"l": 20, "r": 12, "t": 34, "b": 30},
            "legend": {
                "orientation": "h",
                "traceorder": "normal",
                "x": 0,
                "xanchor": "left",
                "y": 1.0,
                "yanchor": "bottom",
            },
            "xaxis": {"rangemode": "tozero", "tickformat": ",d", **({"nticks": 5} if most > _FEW else {"dtick": 1})},
            "yaxis": {
                "tickvals": positions,
                "ticktext": [escape(_short(name)) for name in shown["class"]],
                "range": [len(shown) - 0.5, -0.5],
                "showgrid": False,
            },
            "bargap": 0.3,
        },
        height=_AROUND + _BAR * max(2, len(shown)),
        empty="The classes appear here with their first images.",
    )


def _bars(part: str, table: pd.DataFrame, positions: list[int]) -> Trace:
    counts = [int(count) for count in table[part]]
    return {
        "type": "bar",
        "orientation": "h",
        "name": PARTS[part],
        "x": counts,
        "y": positions,
        "marker": {
            "color": _COLORS[part],
            "line": {"color": PAPER, "width": 1},
            "pattern": {"shape": _PATTERNS[part], "size": 6, "solidity": 0.2, "fillmode": "overlay", "fgopacity": 0.5},
        },
        "customdata": [
            f"<b>{escape(name)}</b>: {count:,} {PARTS[part]}"
            for name, count in zip(table["class"], counts, strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"

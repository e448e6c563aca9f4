"""The results of a few approaches, one row each: every seed as a dot, the mean with its interval as a bar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cnncore.figures import theme
from cnncore.figures.chart import INK, Chart, Trace, escape
from cnncore.runs.statistics import mean_interval

COLORS = theme.SERIES
_ROW = 58


def approach_dots(values: Mapping[str, Sequence[float]], what: str) -> Chart:
    """The accuracies of each approach.

    Args:
        values: Shares from 0 to 1 by title, those without a result too; the order of the rows.
        what: What they are, for example `validation accuracy`.
    """
    traces: list[Trace] = []
    for row, (title, shares) in enumerate(values.items()):
        if shares:
            color = COLORS[row % len(COLORS)]
            traces += [_seeds(row, title, shares, color), _mean(row, title, shares, color)]
    return Chart(
        label=f"{what} in percent: every seed as a dot, the mean with its 95 % interval",
        traces=traces,
        layout={
            "uirevision": "approaches",
            "margin": {"l": 90, "r": 16, "t": 8, "b": 44},
            "showlegend": False,
            "hovermode": "closest",
            "xaxis": {"ticksuffix": " %", "title": {"text": what, "standoff": 6}},
            "yaxis": {
                "tickvals": list(range(len(values))),
                "ticktext": [escape(title) for title in values],
                "range": [len(values) - 0.5, -0.5],
                "showgrid": False,
                "tickfont": {"color": INK, "size": 13},
            },
        },
        height=60 + _ROW * len(values),
        empty="Each seed appears here as a dot as soon as it has been trained.",
    )


def _seeds(row: int, title: str, shares: Sequence[float], color: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * share for share in shares],
        "y": [row + 0.16] * len(shares),
        "marker": {"color": color, "size": 8, "opacity": 0.55},
        "hovertemplate": f"{escape(title)}, one seed: %{{x:.2f}} %<extra></extra>",
    }


def _mean(row: int, title: str, shares: Sequence[float], color: str) -> Trace:
    mean = mean_interval(shares)
    half = 100 * (mean.high - mean.value)
    trace: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * mean.value],
        "y": [row - 0.12],
        "marker": {"color": color, "size": 13, "symbol": "diamond"},
        "hovertemplate": f"{escape(title)}, mean of {mean.count}: %{{x:.2f}} %<extra></extra>",
    }
    if math.isfinite(half):
        trace["error_x"] = {"type": "data", "array": [half], "color": color, "thickness": 2, "width": 6}
    return trace

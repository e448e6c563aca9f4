"""How the accuracy of networks falls when their images are disturbed more and more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cnncore.catalog.disturbances import Disturbance
from cnncore.figures import theme
from cnncore.figures.chart import Chart, Trace, encode, escape
from cnncore.figures.intervals import wilson


@dataclass(frozen=True, kw_only=True)
class RobustnessCurve:
    """How one network does.

    Attributes:
        label: What it is called.
        color: Of its line.
        dash: Of its line.
        strengths: Of the disturbance, rising.
        right: Images that were told right at each.
        count: Images that were looked at.
        size: Side of the network's images in pixels.
    """

    label: str
    color: str
    dash: str
    strengths: Sequence[float]
    right: Sequence[int]
    count: int
    size: int


def robustness_table(curves: Sequence[RobustnessCurve]) -> pd.DataFrame:
    """Columns `network`, `strength`, `right`, `images`, `accuracy`, `low`, `high` (95 %), shares from 0 to 1."""
    rows: list[tuple[str, float, int, int, float, float, float]] = []
    for curve in curves:
        for strength, right in zip(curve.strengths, curve.right, strict=True):
            low, high = wilson(right, curve.count)
            rows.append((curve.label, strength, right, curve.count, right / max(1, curve.count), low, high))
    return pd.DataFrame(rows, columns=["network", "strength", "right", "images", "accuracy", "low", "high"])


def robustness(curves: Sequence[RobustnessCurve], disturbance: Disturbance, num_classes: int) -> Chart:
    """Accuracy in percent over the strength, with 95 % intervals; dotted what guessing among the classes would give.

    Strengths in pixels are shares of the image's side where the networks take images of different sizes.

    Args:
        curves: The networks.
        disturbance: What the images are disturbed by.
        num_classes: From which one would guess.
    """
    sizes = {curve.size for curve in curves}
    shares = disturbance.relative and len(sizes) > 1
    unit = disturbance.unit.replace("pixels", "% of the side") if shares else disturbance.unit
    traces = [_line(curve, 100 / curve.size if shares else 1.0, unit) for curve in curves]
    guess = 100 / num_classes
    return Chart(
        label=f"Accuracy in percent of {len(curves)} networks over {disturbance.title.lower()} in {unit}",
        traces=traces,
        layout={
            "uirevision": f"robustness {disturbance.title} {unit}",
            "margin": {"l": 60, "r": 12, "t": 34 + 20 * max(0, len(curves) - 2), "b": 44},
            "showlegend": len(curves) > 1,
            "xaxis": {"title": {"text": f"{disturbance.title.lower()}, {unit}", "standoff": 6}},
            "yaxis": {"range": [0, 103], "ticksuffix": " %", "title": {"text": "right"}},
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": guess,
                    "y1": guess,
                    "line": {"color": theme.NEUTRAL, "dash": "dot", "width": 1},
                }
            ],
        },
        height=380,
        empty="The curve will be here.",
    )


def _line(curve: RobustnessCurve, scale: float, unit: str) -> Trace:
    table = robustness_table([curve])
    accuracy, low, high = (100 * table[name].to_numpy(dtype=np.float64) for name in ("accuracy", "low", "high"))
    x = scale * np.array(curve.strengths, dtype=np.float64)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(curve.label),
        "x": encode(x),
        "y": encode(accuracy),
        "error_y": {
            "type": "data",
            "array": encode(high - accuracy),
            "arrayminus": encode(accuracy - low),
            "color": curve.color,
            "thickness": 1,
            "width": 3,
        },
        "line": {"color": curve.color, "dash": curve.dash, "width": 2.2},
        "marker": {"size": 6},
        "customdata": [
            f"{escape(curve.label)}<br>{place:g} {unit}: {value:.1f} % right ({start:.1f}–{end:.1f}), {right:,} of "
            f"{curve.count:,}"
            for place, value, start, end, right in zip(x, accuracy, low, high, curve.right, strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }

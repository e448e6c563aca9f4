"""How the numbers of a weight tensor are distributed, now and before training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnncore.figures import theme
from cnncore.figures.chart import Chart, Trace, encode, escape

HEIGHT = 320
_WORDS = ((0.01, "hardly moved"), (0.1, "moved a little"), (0.5, "moved clearly"), (1.0, "moved far"))


def weight_histogram(name: str, edges: Sequence[float], now: Sequence[int], before: Sequence[int] | None) -> Chart:
    """Numbers of a tensor by size: those it has now filled, those before training as a line over them.

    Args:
        name: Of the tensor.
        edges: Ends of the bins, one more than bins.
        now: How many numbers are in each bin.
        before: Likewise before training; None where that is not known.
    """
    ends = np.asarray(edges, np.float64)
    traces: list[Trace] = [_steps("now", ends, now, {"fill": "tozeroy", "line": _line(theme.TRAIN, "solid")})]
    if before is not None:
        traces.append(_steps("before training", ends, before, {"line": _line(theme.VALIDATION, "dash")}))
    return Chart(
        label=f"Histogram of {name}" + ("" if before is None else ", now and before training"),
        traces=traces,
        layout={
            "uirevision": name,
            "xaxis": {"title": {"text": "value", "standoff": 6}, "nticks": 9},
            "yaxis": {"title": {"text": "numbers in the bin", "standoff": 6}, "rangemode": "tozero", "nticks": 6},
            "hovermode": "x unified",
            "showlegend": before is not None,
        },
        height=HEIGHT,
        empty="This tensor has no numbers.",
    )


def changes(names: Sequence[str], changed: Sequence[float], shown: str) -> Chart:
    """How far each tensor moved from its start, in percent of the start's size, as bars, input side first.

    Args:
        names: Of the tensors.
        changed: Distance to the start by the size of the start.
        shown: The tensor whose bar stands out.
    """
    return Chart(
        label="How far each weight tensor moved during training, in percent of its size at the start",
        traces=[
            {
                "type": "bar",
                "x": list(range(len(names))),
                "y": encode(100 * np.asarray(changed, np.float64)),
                "marker": {"color": [theme.TRAIN if name == shown else theme.NEUTRAL for name in names]},
                "customdata": [escape(name) for name in names],
                "hovertemplate": "%{customdata}: %{y:.3~g} %<extra></extra>",
            }
        ]
        if names
        else [],
        layout={
            "uirevision": "changes",
            "xaxis": {"title": {"text": "from the image on", "standoff": 6}, "showticklabels": False},
            "yaxis": {"ticksuffix": " %", "rangemode": "tozero", "nticks": 5},
            "bargap": 0.15,
            "margin": {"l": 52, "r": 12, "t": 8, "b": 30},
        },
        height=190,
        empty="The weights before training are not known.",
    )


def change_words(changed: float) -> str:
    """How far a tensor moved, in words: `changed` is the distance to its start by the size of the start."""
    for most, words in _WORDS:
        if changed < most:
            return words if changed else "did not move at all"
    return "moved farther than it was from zero"


def _steps(name: str, edges: np.ndarray, counts: Sequence[int], style: Trace) -> Trace:
    middles = (edges[:-1] + edges[1:]) / 2
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": encode(middles),
        "y": encode(counts),
        "hovertemplate": "%{y:,.0f}",
        **style,
        "line": {"shape": "hvh", "width": 2, **style["line"]},
    }


def _line(color: str, dash: str) -> dict[str, str]:
    return {"color": color, "dash": dash}

"""Runs side by side as points: accuracy against what it cost, and class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnncore.figures.chart import INK, Chart, Trace, encode, escape
from cnncore.figures.intervals import wilson

MAX_CLASSES = 20
"""Classes that are drawn; the table has them all."""
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A run with its test result.

    Attributes:
        name: Of the run.
        group: Number of its group; together with the color it decides the symbol.
        color: Of its group.
        correct: Right test images.
        count: Test images.
        num_params: Parameters, NaN where unknown.
        seconds: Training time, NaN where unknown.
    """

    name: str
    group: int
    color: str
    correct: int
    count: int
    num_params: float
    seconds: float


def against_parameters(runs: Sequence[Scored]) -> Chart:
    """Test accuracy against the number of parameters, on a logarithmic axis."""
    return _scatter(runs, [run.num_params for run in runs], "parameters", "parameters", log_x=True)


def against_time(runs: Sequence[Scored]) -> Chart:
    """Test accuracy against training time in seconds, minutes or hours."""
    longest = max((run.seconds for run in runs if np.isfinite(run.seconds)), default=0.0)
    size, unit = (1.0, "s") if longest < 180 else (60.0, "min") if longest < 10_800 else (3600.0, "h")
    return _scatter(runs, [run.seconds / size for run in runs], f"training time, {unit}", unit, log_x=False)


def _scatter(runs: Sequence[Scored], x: Sequence[float], title: str, unit: str, *, log_x: bool) -> Chart:
    shown = [(run, place) for run, place in zip(runs, x, strict=True) if np.isfinite(place) and run.count]
    form = ":,.0f" if log_x else ":.1f"
    return Chart(
        label=f"Test accuracy in percent against {title}",
        traces=[_point(run, place, f"<br>%{{x{form}}} {unit}<extra></extra>") for run, place in shown],
        layout={
            "uirevision": title,
            "title": {"text": f"Test accuracy against {title}", "x": 0, "xref": "paper", "font": {"size": 15}},
            "showlegend": False,
            "hovermode": "closest",
            "xaxis": _cost_axis([place for _, place in shown], title, log_x=log_x),
            "yaxis": {"ticksuffix": " %", "nticks": 6},
        },
        height=360,
        empty="Appears as soon as one of the selected runs has been scored on its test images.",
    )


def _cost_axis(x: Sequence[float], title: str, *, log_x: bool) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": title, "standoff": 6}}
    if not log_x:
        return axis | {"rangemode": "tozero"}
    axis |= {"type": "log", "nticks": 8, "minorloglabels": "complete"}
    # Networks of one size would else lie on an axis whose labels repeat.
    low, high = (min(x), max(x)) if x else (1.0, 1.0)
    return axis | {"range": [float(np.log10(low / 2)), float(np.log10(high * 2))]}


def _point(run: Scored, x: float, hover: str) -> Trace:
    share = 100 * run.correct / run.count
    low, high = (100 * end for end in wilson(run.correct, run.count))
    told = f"{escape(run.name)}<br>{share:.2f} % ({low:.2f}–{high:.2f}), {run.correct:,} of {run.count:,} right"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": run.name,
        "x": [x],
        "y": [share],
        "error_y": _error([share], [low], [high], run.color),
        "marker": {"color": run.color, "size": 10, "symbol": _SYMBOLS[run.group % len(_SYMBOLS)]},
        "hovertemplate": told + hover,
    }


def _error(values: Sequence[float], low: Sequence[float], high: Sequence[float], color: str) -> dict[str, Any]:
    center = np.asarray(values, dtype=np.float64)
    return {
        "type": "data",
        "symmetric": False,
        "array": encode(np.asarray(high) - center),
        "arrayminus": encode(center - np.asarray(low)),
        "color": color,
        "thickness": 1,
        "width": 4,
    }


# Class by class

Matrices = Sequence[npt.NDArray[np.int64]]


def class_table(matrices: Matrices, names: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """Accuracy of every class (0 to 1, NaN without images) in one column a run, and how far apart the runs are.

    Args:
        matrices: Confusion matrices `(K, K)` of the same images.
        names: One a matrix, all different.
        classes: `K` names.
    """
    order = _most_apart(matrices)
    columns: dict[str, Any] = {"class": [classes[int(place)] for place in order]}
    columns |= {name: _shares(matrix)[order] for name, matrix in zip(names, matrices, strict=True)}
    return pd.DataFrame(columns | {"apart": _apart(matrices)[order]})


def _shares(matrix: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    counts = matrix.sum(axis=1)
    return np.divide(matrix.diagonal(), counts, out=np.full(len(counts), np.nan), where=counts > 0)


def _apart(matrices: Matrices) -> npt.NDArray[np.float64]:
    shares = np.stack([_shares(matrix) for matrix in matrices])
    return shares.max(axis=0) - shares.min(axis=0)


def _most_apart(matrices: Matrices) -> npt.NDArray[np.intp]:
    """Classes in the order of how far apart the runs are; those without images last."""
    return np.argsort(np.nan_to_num(-_apart(matrices), nan=np.inf), kind="stable")


def class_dots(matrices: Matrices, names: Sequence[str], colors: Sequence[str], classes: Sequence[str]) -> Chart:
    """Accuracy of every class as one dot a run with its 95 % interval, the class with the largest difference first."""
    places = _most_apart(matrices)[:MAX_CLASSES]
    order = [classes[int(place)] for place in places]
    traces: list[Trace] = []
    for number, (matrix, name, color) in enumerate(zip(matrices, names, colors, strict=True)):
        right, counts = matrix.diagonal()[places], matrix.sum(axis=1)[places]
        ends = [wilson(int(hit), int(count)) for hit, count in zip(right, counts, strict=True)]
        shares = 100 * _shares(matrix)[places]
        low, high = ([100 * end[side] for end in ends] for side in (0, 1))
        # Side by side within the row of their class, or their intervals would hide each other.
        shift = 0.0 if len(names) == 1 else 0.6 * (number / (len(names) - 1) - 0.5)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": encode(shares),
                "y": encode(np.arange(len(order)) + shift),
                "error_x": _error(shares.tolist(), low, high, color),
                "marker": {"color": color, "size": 8, "symbol": _SYMBOLS[number % len(_SYMBOLS)]},
                "customdata": [
                    f"{escape(name)}<br>{escape(each)}: {hit:,} of {count:,} right"
                    for each, hit, count in zip(order, right, counts, strict=True)
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        )
    return Chart(
        label="Accuracy of each class in percent, one dot a run, the class with the largest difference first",
        traces=traces,
        layout={
            "uirevision": "classes",
            "margin": {"l": 60, "r": 12, "t": 8, "b": 44},
            "showlegend": False,
            "hovermode": "closest",
            "xaxis": {"ticksuffix": " %", "title": {"text": "recognized", "standoff": 6}},
            "yaxis": {
                "tickvals": list(range(len(order))),
                "ticktext": [escape(name) for name in order],
                "range": [len(order) - 0.5, -0.5],
                "tickfont": {"color": INK},
            },
        },
        height=max(240, 60 + 34 * len(order)),
    )

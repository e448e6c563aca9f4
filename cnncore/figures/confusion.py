"""Which classes are taken for which: a matrix for up to fifty classes, the most frequent confusions for any number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnncore.figures import theme
from cnncore.figures.chart import INK, Chart, Trace, encode, escape

MAX_CLASSES = 50
"""Above this the cells of a matrix are too small to be read."""
_MAX_NUMBERS = 20
_MAX_LEGIBLE_NAME = 14

Matrix = npt.NDArray[np.int64]


def confusion(matrix: Matrix, classes: Sequence[str], *, percent: bool) -> Chart:
    """The matrix `(K, K)`, rows the true classes; right answers and mistakes have color scales of their own.

    With one scale the few mistakes of a good network would all look like zero.

    Args:
        matrix: Counts.
        classes: `K` names.
        percent: Show the share of each row instead of counts.
    """
    shares = _shares(matrix)
    shown = 100 * shares if percent else matrix.astype(np.float64)
    diagonal = np.eye(len(matrix), dtype=bool)
    names = [_short(name) for name in classes]
    positions = list(range(len(classes)))
    mistakes = np.where(diagonal, np.nan, shares)
    axis = {"tickvals": positions, "ticktext": names, "showgrid": False, "constrain": "domain"}
    form = ".1f" if percent else "d"
    numbers = len(classes) <= _MAX_NUMBERS
    size = max(11 - len(classes) // 10, 8) if percent else max(13 - len(classes) // 5, 9)
    style = {"hover": _hover(matrix, shares, classes), "text": _texts(shown, matrix, form), "size": size}
    return Chart(
        label="Confusion matrix: rows are true classes, columns what the network said",
        traces=[
            _cells(np.where(diagonal, shares, np.nan), theme.RIGHT, 1.0, style, numbers=numbers),
            _cells(mistakes, theme.WRONG, max(0.05, _greatest(mistakes)), style, numbers=numbers),
        ],
        layout={
            "uirevision": "confusion",
            "margin": {"l": 60, "r": 8, "t": 8, "b": 44},
            "xaxis": axis | {"title": {"text": "the network says", "standoff": 6}, "tickangle": _angle(names)},
            "yaxis": axis | {"title": {"text": "really is", "standoff": 6}, "autorange": "reversed"},
        },
        height=440,
    )


def top_confusions(matrix: Matrix, classes: Sequence[str], limit: int = 20) -> pd.DataFrame:
    """The most frequent mistakes: columns `really is`, `taken for`, `images`, `of this class, %`."""
    wrong = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    order = np.argsort(wrong, axis=None, kind="stable")[::-1][:limit]
    pairs = [divmod(int(place), len(matrix)) for place in order if wrong.flat[place] > 0]
    shares = _shares(matrix)
    return pd.DataFrame(
        {
            "really is": [classes[true] for true, _ in pairs],
            "taken for": [classes[said] for _, said in pairs],
            "images": [int(matrix[pair]) for pair in pairs],
            "of this class, %": [round(100 * float(shares[pair]), 1) for pair in pairs],
        }
    )


def _shares(matrix: Matrix) -> npt.NDArray[np.float64]:
    totals = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)


def _greatest(values: npt.NDArray[np.float64]) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0


def _cells(share: npt.NDArray[np.float64], color: str, most: float, style: dict[str, Any], *, numbers: bool) -> Trace:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    trace: Trace = {
        "type": "heatmap",
        "z": encode(share),
        "zmin": 0,
        "zmax": most,
        # From transparent, so that the same scale suits light and dark.
        "colorscale": [[0, f"rgba({red},{green},{blue},0.04)"], [1, f"rgba({red},{green},{blue},0.75)"]],
        "showscale": False,
        "hoverongaps": False,
        "xgap": 1,
        "ygap": 1,
        "customdata": style["hover"],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    if numbers:
        trace |= {"text": style["text"], "texttemplate": "%{text}", "textfont": {"color": INK, "size": style["size"]}}
    return trace


def _texts(shown: npt.NDArray[np.float64], matrix: Matrix, form: str) -> list[list[str]]:
    """What stands in the cells; empty for zero, so that the mistakes stand out."""
    return [
        [
            format(int(value) if form == "d" else value, form) if count else ""
            for value, count in zip(*rows, strict=True)
        ]
        for rows in zip(shown, matrix, strict=True)
    ]


def _hover(matrix: Matrix, shares: npt.NDArray[np.float64], classes: Sequence[str]) -> list[list[str]]:
    names = [escape(name) for name in classes]
    return [
        [
            f"really {really}, said {said}<br>{matrix[row, column]:,} images, {100 * shares[row, column]:.1f} %"
            for column, said in enumerate(names)
        ]
        for row, really in enumerate(names)
    ]


def _short(name: str) -> str:
    return escape(name if len(name) <= _MAX_LEGIBLE_NAME else f"{name[: _MAX_LEGIBLE_NAME - 1]}…")


def _angle(names: Sequence[str]) -> int:
    return -45 if max(map(len, names), default=0) > 3 else 0

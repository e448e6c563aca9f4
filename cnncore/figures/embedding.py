"""Images as points of a plane, colored by class, by whether the network is right, or by how sure it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnncore.figures import theme
from cnncore.figures.chart import GRID, INK, PAPER, Chart, Trace, encode, escape
from cnncore.images.heat_map import heat_colors

COLORS = (*theme.SERIES, "#6E8B1F", "#64748B")
"""Of classes; each has a marker of its own too, see `_SYMBOLS`, so that color is never the only sign."""
MOST_COLORED = len(COLORS)
FEW_COLORED = 6
"""Classes in color at first where there are too many for all of them."""

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
_HEIGHT = 560
_HEAT = (0.2, 0.88)
"""The part of the heat's colors that stands out from white and from black."""

Values = npt.NDArray[Any]


def points_table(
    points: Values, labels: Sequence[str], said: Sequence[str], confidence: Values, *, comparable: bool
) -> pd.DataFrame:
    """What the chart draws and a CSV file holds, one row an image.

    Args:
        points: (N, 2).
        labels: Class of each image.
        said: What the network says of it.
        confidence: How probable that is, from 0 to 1.
        comparable: Whether the network can be right.

    Returns:
        Columns `class`, `said`, `probability`, `right` (missing where the network cannot be right), `x`, `y`.
    """
    names = pd.Series(list(labels), dtype="str"), pd.Series(list(said), dtype="str")
    right = (names[0] == names[1]).astype("boolean")
    return pd.DataFrame(
        {
            "class": names[0],
            "said": names[1],
            "probability": np.asarray(confidence, np.float32),
            "right": right if comparable else right.mask(right.notna()),
            "x": points[:, 0],
            "y": points[:, 1],
        }
    )


def confused_classes(table: pd.DataFrame, count: int) -> list[str]:
    """The classes with most mistakes, as truth or as answer; where there are none, or too few, the most frequent.

    Args:
        table: As `points_table` has it.
        count: At most so many.
    """
    names, said = table["class"].tolist(), table["said"].tolist()
    frequent = Counter(names)
    mistakes: Counter[str] = Counter()
    for row in np.flatnonzero(_is(table, right=False)):
        mistakes.update(name for name in (names[row], said[row]) if name in frequent)
    return list(dict.fromkeys(name for name, _ in (*mistakes.most_common(), *frequent.most_common())))[:count]


def _is(table: pd.DataFrame, *, right: bool) -> npt.NDArray[np.bool_]:
    """Which images the network is right about, or wrong; none where it cannot be either."""
    return (table["right"] == right).fillna(False).to_numpy(dtype=bool)


@dataclass(frozen=True, kw_only=True)
class Coloring:
    """What the colors of the points say.

    Attributes:
        title: In a choice.
        traces: Of the table's points, the classes in color by name.
        needs_truth: Whether the network must know the images' classes.
    """

    title: str
    traces: Callable[[pd.DataFrame, Sequence[str]], list[Trace]]
    needs_truth: bool = False


def embedding_chart(
    table: pd.DataFrame, color: str, marked: Sequence[str], axes: tuple[str, str], chosen: int | None = None
) -> Chart:
    """The points; each trace's `customdata` are the rows of its points.

    Args:
        table: As `points_table` has it.
        color: Key of COLORINGS.
        marked: Classes in color; the others are gray.
        axes: Titles of the axes.
        chosen: Row of the image that is ringed.
    """
    traces = COLORINGS[color].traces(table, marked)
    if chosen is not None:
        traces.append(_ring(table, chosen))
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "showline": True}
    return Chart(
        label=f"{len(table):,} images as points, colored by {COLORINGS[color].title.lower()}",
        traces=traces,
        layout={
            "uirevision": f"{axes} {len(table)}",
            "hovermode": "closest",
            "dragmode": "lasso",
            "newselection": {"line": {"color": INK, "width": 1.5, "dash": "dot"}},
            "margin": {"l": 28, "r": 8, "t": 56, "b": 32},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom"},
            "xaxis": {**bare, "title": {"text": axes[0], "standoff": 6}},
            # One unit is as long along both axes: only so do distances mean something.
            "yaxis": {**bare, "title": {"text": axes[1], "standoff": 4}, "scaleanchor": "x"},
        },
        height=_HEIGHT,
        empty="No image to show.",
    )


def _dots(table: pd.DataFrame, rows: Values, name: str, color: Any, symbol: str = "circle", **marker: Any) -> Trace:
    """The points of some rows."""
    looks = {"color": color, "symbol": symbol, "size": 6 if len(table) > 600 else 7, "opacity": 0.85}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape(name),
        "x": encode(table["x"].to_numpy()[rows]),
        "y": encode(table["y"].to_numpy()[rows]),
        "customdata": rows.tolist(),
        "hoverinfo": "none",
        "showlegend": True,
        "marker": {**looks, "line": {"color": PAPER, "width": 0.5}, **marker},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 0.2}},
    }


def _by_class(table: pd.DataFrame, marked: Sequence[str]) -> list[Trace]:
    names = table["class"].to_numpy()
    others = np.flatnonzero(~np.isin(names, list(marked)))
    traces = [_dots(table, others, "other classes", theme.NEUTRAL, opacity=0.35)] if len(others) else []
    for place, name in enumerate(marked):
        color, symbol = COLORS[place % len(COLORS)], _SYMBOLS[place % len(_SYMBOLS)]
        traces.append(_dots(table, np.flatnonzero(names == name), name, color, symbol))
    return traces


def _by_error(table: pd.DataFrame, marked: Sequence[str]) -> list[Trace]:
    right, wrong = (np.flatnonzero(_is(table, right=each)) for each in (True, False))
    # Mistakes stand out as long as they are few.
    size = 9 if 5 * len(wrong) < len(table) else 7
    return [
        _dots(table, right, f"right ({len(right):,})", theme.RIGHT, opacity=0.45),
        _dots(table, wrong, f"wrong ({len(wrong):,})", theme.WRONG, "x", opacity=1, size=size),
    ]


def _by_confidence(table: pd.DataFrame, marked: Sequence[str]) -> list[Trace]:
    places = np.linspace(0, 1, 9)
    steps = heat_colors(_HEAT[0] + (_HEAT[1] - _HEAT[0]) * places)
    colors = [f"rgb({red:.0f},{green:.0f},{blue:.0f})" for red, green, blue in steps]
    bar = {"title": {"text": "probability"}, "thickness": 10, "tickformat": ".0%", "outlinewidth": 0}
    scale = {"cmin": 0, "cmax": 1, "colorscale": list(zip(places.tolist(), colors, strict=True)), "colorbar": bar}
    outline = {"color": GRID, "width": 0.5}
    probability = table["probability"].to_numpy()
    # The least certain are drawn last: they are what one looks for.
    rows = np.argsort(-probability, kind="stable")
    return [{**_dots(table, rows, "images", encode(probability[rows]), line=outline, **scale), "showlegend": False}]


def _ring(table: pd.DataFrame, row: int) -> Trace:
    line = {"color": INK, "width": 2}
    return _dots(table, np.array([row]), "the picture above", INK, "circle-open", size=17, opacity=1, line=line)


COLORINGS: dict[str, Coloring] = {
    "class": Coloring(title="Class", traces=_by_class),
    "error": Coloring(title="Right or wrong", traces=_by_error, needs_truth=True),
    "confidence": Coloring(title="Confidence", traces=_by_confidence),
}
"""The colorings by their name in a link."""

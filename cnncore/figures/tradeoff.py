"""Accuracy against cost, one point a network, with the networks that nothing beats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnncore.catalog import DATASETS, FAMILIES, MODELS
from cnncore.catalog.zoo import zoo
from cnncore.figures import theme
from cnncore.figures.architectures import Protocol, result_by
from cnncore.figures.chart import INK, PAPER, Chart, Trace, escape
from cnncore.runs.best import Best
from cnncore.runs.latencies import Latency

Mask = npt.NDArray[np.bool_]

_WIDTH, _HEIGHT = 720, 380
"""Pixels of the plot that labels are placed for; where it is wider they have more room."""
_LETTER, _LINE = 6.4, 15
"""Pixels that a letter and a line of a label take."""
_MARKER = 12
_PLACES = {
    "top center": (0, 1),
    "bottom center": (0, -1),
    "middle right": (1, 0),
    "middle left": (-1, 0),
    "top right": (1, 1),
    "bottom right": (1, -1),
    "top left": (-1, 1),
    "bottom left": (-1, -1),
}
"""Where a label may stand, as plotly.js names it, with its direction from the point."""


@dataclass(frozen=True, kw_only=True)
class CostAxis:
    """What accuracy is compared with; the functions give `None` where it is not known.

    Attributes:
        title: In a choice.
        axis: Along the axis, with the unit.
        published: Of the network `key` in its published form, given the measured milliseconds by network.
        own: Of the network as a run trained it; `None` where that is never known.
    """

    title: str
    axis: str
    published: Callable[[str, Mapping[str, float]], float | None]
    own: Callable[[Best], float | None] | None


def _published_macs(key: str, measured: Mapping[str, float]) -> float | None:
    return zoo()[key].macs if key in zoo() else None


def _own_macs(best: Best) -> float | None:
    known = best.same_macs and best.model in zoo()
    return zoo()[best.model].dataset_macs.get(best.dataset) if known else None


COSTS: dict[str, CostAxis] = {
    "macs": CostAxis(title="MACs", axis="multiply-accumulates of one image", published=_published_macs, own=_own_macs),
    "params": CostAxis(
        title="Parameters",
        axis="parameters",
        published=lambda key, measured: MODELS[key].num_params,
        own=lambda best: best.num_params or None,
    ),
    "latency": CostAxis(
        title="Latency",
        axis="milliseconds for one image on this machine",
        published=lambda key, measured: measured.get(key),
        own=None,
    ),
}
"""The costs by their name in a link."""


def comparable_ms(found: Mapping[str, Latency]) -> tuple[dict[str, float], Latency | None]:
    """Milliseconds for one image by network, of measurements under the same conditions as the newest one.

    Returns:
        The times, and the newest measurement, `None` where there is none.
    """
    newest = max(found.values(), key=lambda each: each.measured, default=None)
    if newest is None:
        return {}, None
    same = {key: each for key, each in found.items() if _conditions(each) == _conditions(newest) and 1 in each.timings}
    return {key: each.timings[1].ms for key, each in same.items()}, newest


def _conditions(found: Latency) -> tuple[str, str, str, int]:
    return found.host, found.device, found.precision, found.threads


def published_table(
    keys: Iterable[str], cost: str, score: str, protocol: Protocol, measured: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """What `tradeoff` draws, of published results.

    Args:
        keys: Networks; those without a result by `protocol` are left out.
        cost: Key of COSTS.
        score: `top1` or `top5`.
        protocol: Of the results.
        measured: Milliseconds for one image by network.

    Returns:
        Columns `key`, `network`, `family`, `cost`, `score` (percent), `note`, `front` (whether nothing beats it).
    """
    rows: list[dict[str, Any]] = []
    for key in keys:
        result, price = result_by(key, protocol), COSTS[cost].published(key, measured or {})
        percent = (result.top1 if score == "top1" else result.top5) if result else None
        if result and price and percent is not None:
            rows.append(_row(key, price, percent, f"{percent:.2f} %, {result.source}"))
    return _with_front(rows)


def own_table(keys: Iterable[str], cost: str, dataset: str, best: Mapping[tuple[str, str], Best]) -> pd.DataFrame:
    """The same of the best own runs on a data set; networks whose run has another cost than known are left out."""
    rows: list[dict[str, Any]] = []
    price_of = COSTS[cost].own
    for key in keys:
        own = best.get((key, dataset))
        price = price_of(own) if own and price_of else None
        if own and price:
            note = f"{100 * own.accuracy:.2f} % of {own.count:,} test images of {DATASETS[dataset].title}"
            rows.append(_row(key, price, 100 * own.accuracy, note))
    return _with_front(rows)


def _row(key: str, price: float, percent: float, note: str) -> dict[str, Any]:
    spec = MODELS[key]
    return {"key": key, "network": spec.title, "family": spec.family, "cost": price, "score": percent, "note": note}


def _with_front(rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = {"key": "str", "network": "str", "family": "str", "cost": "float", "score": "float", "note": "str"}
    table = pd.DataFrame(rows, columns=list(columns)).astype(columns)
    return table.assign(front=pareto_front(table["cost"], table["score"]))


def pareto_front(costs: npt.ArrayLike, scores: npt.ArrayLike) -> Mask:
    """Which points `(N,)` nothing beats: no other one is as good or better at the same or less cost.

    Among equal points the first one counts. A point without a number is never on the front.
    """
    cost, score = np.asarray(costs, dtype=float), np.asarray(scores, dtype=float)
    order = np.lexsort((np.arange(len(cost)), -score, cost))
    front = np.zeros(len(cost), dtype=bool)
    best = -np.inf
    for index in order:
        if np.isfinite(cost[index]) and score[index] > best:
            front[index] = True
            best = score[index]
    return front


def tradeoff(table: pd.DataFrame, cost_name: str, score_name: str, chosen: str = "") -> Chart:
    """Accuracy in percent over a cost on a logarithmic axis, with the Pareto front.

    Args:
        table: As `published_table` and `own_table` have it.
        cost_name: What the cost is, with its unit.
        score_name: What the accuracy is.
        chosen: Key of the network that is marked.
    """
    cost, score = (table[name].to_numpy(dtype=float) for name in ("cost", "score"))
    front = table["front"].to_numpy(dtype=bool)
    first = front | (table["key"] == chosen).to_numpy(dtype=bool)
    x, y = _on_plot(cost, score)
    labels = place_labels(x, y, table["network"].tolist(), first, _front_boxes(x[front], y[front]))
    traces = [_front_line(cost[front], score[front])] if front.any() else []
    for family in FAMILIES:
        own = np.flatnonzero(table["family"] == family)
        if len(own):
            traces.append(_family(family, table.iloc[own], [labels[index] for index in own], chosen))
    return Chart(
        label=f"{score_name} against {cost_name}; the line joins the networks that nothing beats",
        traces=traces,
        layout={
            "hovermode": "closest",
            "margin": {"l": 58, "r": 16, "t": 56, "b": 48},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
            "xaxis": {
                "type": "log",
                "title": {"text": cost_name, "standoff": 6},
                "exponentformat": "SI",
                **(_log_axis(cost) if len(cost) else {}),
            },
            "yaxis": {
                "title": {"text": score_name, "standoff": 6},
                "ticksuffix": " %",
                **({"range": _range(score)} if len(score) else {}),
            },
        },
        height=500,
        empty="No network of this selection has such a result yet.",
    )


def _log_range(cost: npt.NDArray[np.floating[Any]]) -> list[float]:
    low, high = np.log10(cost.min()), np.log10(cost.max())
    margin = max(0.12, 0.08 * (high - low))
    return [float(low - margin), float(high + margin)]


def _log_axis(cost: npt.NDArray[np.floating[Any]]) -> dict[str, Any]:
    low, high = _log_range(cost)
    return {"range": [low, high], "dtick": 1 if high - low > 1.5 else "D2", "minor": {"dtick": 1}}


def _range(score: npt.NDArray[np.floating[Any]]) -> list[float]:
    margin = max(0.5, 0.09 * float(np.ptp(score)))
    return [float(score.min() - margin), float(score.max() + margin)]


def _on_plot(cost: npt.NDArray[Any], score: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The points in pixels, from the lower left corner."""
    if not len(cost):
        return cost, score
    (left, right), (low, high) = _log_range(cost), _range(score)
    return _WIDTH * (np.log10(cost) - left) / (right - left), _HEIGHT * (score - low) / (high - low)


Box = tuple[float, float, float, float]
"""Left, lower, right and upper edge in pixels."""


def place_labels(
    x: npt.NDArray[Any], y: npt.NDArray[Any], texts: Sequence[str], first: Mask, lines: Sequence[Box] = ()
) -> list[tuple[str, str] | None]:
    """Where each label stands without covering a point, a line or another label.

    Args:
        x: Points `(N,)` in pixels.
        y: The same, upwards.
        texts: The labels.
        first: Which points get theirs first.
        lines: What else is in the way.

    Returns:
        For each point its label and its place in plotly.js' words, or `None` where there is no room.
    """
    taken = [
        (px - _MARKER / 2, py - _MARKER / 2, px + _MARKER / 2, py + _MARKER / 2) for px, py in zip(x, y, strict=True)
    ]
    labels: list[tuple[str, str] | None] = [None] * len(texts)
    order: list[int] = np.lexsort((-y, ~first)).tolist()
    for index in order:
        own = taken[index]
        for place, (right, up) in _PLACES.items():
            box = _box(float(x[index]), float(y[index]), len(texts[index]), right, up)
            inside = box[0] >= 0 and box[2] <= _WIDTH and box[1] >= 0 and box[3] <= _HEIGHT
            if inside and not any(_overlap(box, other) for other in (*taken, *lines) if other is not own):
                taken.append(box)
                labels[index] = (texts[index], place)
                break
    return labels


def _box(x: float, y: float, letters: int, right: int, up: int) -> Box:
    width, reach = letters * _LETTER, _MARKER / 2 + 2
    left = x + right * reach - (width / 2 if right == 0 else width if right < 0 else 0)
    bottom = y + up * reach - (_LINE / 2 if up == 0 else _LINE if up < 0 else 0)
    return left, bottom, left + width, bottom + _LINE


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _front_boxes(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> list[Box]:
    """The steps of the front in pixels."""
    order = np.argsort(x)
    steps = list(zip(x[order].tolist(), y[order].tolist(), strict=True))
    boxes: list[Box] = []
    for (left, low), (right, high) in pairwise(steps):
        boxes += [(left, low - 1, right, low + 1), (right - 1, low, right + 1, high)]
    return boxes


def _front_line(cost: npt.NDArray[Any], score: npt.NDArray[Any]) -> Trace:
    order = np.argsort(cost)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Pareto front",
        "x": cost[order].tolist(),
        "y": score[order].tolist(),
        "line": {"color": INK, "width": 1.5, "dash": "dot", "shape": "hv"},
        "opacity": 0.55,
        "hoverinfo": "skip",
    }


def _family(family: str, rows: pd.DataFrame, labels: Sequence[tuple[str, str] | None], chosen: str) -> Trace:
    marked = (rows["key"] == chosen).tolist()
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": FAMILIES[family],
        "x": rows["cost"].astype(float).tolist(),
        "y": rows["score"].astype(float).tolist(),
        "text": [escape(label[0]) if label else "" for label in labels],
        "textposition": [label[1] if label else "top center" for label in labels],
        "textfont": {"size": 11, "color": INK},
        "cliponaxis": False,
        "marker": {
            "color": theme.FAMILY_COLORS[family],
            "symbol": theme.FAMILY_SYMBOLS[family],
            "size": [15 if each else 11 for each in marked],
            "opacity": [1.0 if each else 0.7 for each in rows["front"]],
            "line": {
                "color": [INK if each else PAPER for each in marked],
                "width": [2 if each else 1 for each in marked],
            },
        },
        "customdata": [
            f"<b>{escape(str(network))}</b><br>{escape(str(note))}"
            for network, note in zip(rows["network"], rows["note"], strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }

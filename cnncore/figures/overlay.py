"""Learning curves of several runs laid over each other: every run drawn, and of each group the mean with its interval.

The band is Student's 95 % t-interval of the mean over the seeds, at every epoch where at least two runs have one;
it is drawn only where the group has been, or a wide one would leave no room for the curves.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cnncore.figures import theme
from cnncore.figures.chart import INK, Chart, Numbers, Trace, encode, escape, line, thin
from cnncore.figures.live import smooth
from cnncore.runs.curves import Curves, Points, XAxis
from cnncore.runs.statistics import t_quantile

Split = Literal["validation", "train", "both"]
Quantity = Literal["loss", "accuracy"]
HEIGHT = 380
_SMOOTHING = 0.9
_WHOLE_EPOCHS = 12
"""Up to so many epochs the axis counts each of them; left to itself it would count halves of few."""
_X_TITLES: dict[XAxis, str] = {
    "step": "step",
    "epoch": "epoch",
    "images": "training images seen",
    "time": "training time",
}


@dataclass(frozen=True)
class OverlayView:
    """How a person wants to see the curves; `every_step` shows the training loss of steps instead of epochs."""

    x: XAxis = "epoch"
    split: Split = "validation"
    every_step: bool = False
    log_y: bool = False


@dataclass(frozen=True, kw_only=True)
class Series:
    """The runs of one group in one color; `runs` are names and curves."""

    label: str
    color: str
    dash: str
    runs: Sequence[tuple[str, Curves]]


def style_of(index: int) -> tuple[str, str]:
    """Color and line style of the group with this number."""
    rounds, place = divmod(index, len(theme.SERIES))
    return theme.SERIES[place], theme.SERIES_DASH[rounds % len(theme.SERIES_DASH)]


def overlay(series: Sequence[Series], quantity: Quantity, view: OverlayView) -> Chart:
    """Loss or accuracy (in percent) of all runs; training is dotted where both kinds of images are shown."""
    unit = _time_unit(series) if view.x == "time" else (1.0, "")
    traces: list[Trace] = []
    for split in ("validation", "train") if view.split == "both" else (view.split,):
        for one in series:
            traces += _group(one, quantity, split, view, unit[0])
    images = {"validation": "validation images", "train": "training images", "both": "training and validation images"}
    title = f"{quantity.capitalize()} on {images[view.split]}"
    words = _X_TITLES[view.x] + (f", {unit[1]}" if unit[1] else "")
    layout: dict[str, Any] = {
        "uirevision": f"{quantity}/{words}",
        "title": {"text": title, "x": 0, "xref": "paper", "font": {"size": 15, "color": INK}},
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": {"title": {"text": words, "standoff": 6}, "rangemode": "tozero"},
        "yaxis": {"type": "log" if view.log_y and quantity == "loss" else "linear", "nticks": 6},
    }
    if quantity == "accuracy":
        layout["yaxis"] |= {"ticksuffix": " %"}
    if view.x == "epoch" and _last_epoch(series) <= _WHOLE_EPOCHS:
        layout["xaxis"] |= {"dtick": 1}
    return Chart(
        label=f"{title} of {sum(len(one.runs) for one in series)} runs",
        traces=traces,
        layout=layout,
        height=HEIGHT,
        empty="None of the selected runs has such a curve yet.",
    )


def mean_band(points: Sequence[Points], name: str, x: XAxis) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Mean place, mean value and both ends of its interval at every step that at least two runs have, each `(N,)`."""
    steps = np.unique(np.concatenate([each.x["step"] for each in points]))
    values, places = (np.full((len(points), len(steps)), np.nan) for _ in range(2))
    for row, each in enumerate(points):
        at = np.searchsorted(steps, each.x["step"])
        values[row, at], places[row, at] = each.values[name], each.x[x]
    places[np.isnan(values)] = np.nan
    count = np.isfinite(values).sum(axis=0)
    kept = count >= 2
    values, places, count = values[:, kept], places[:, kept], count[kept]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean, place, deviation = np.nanmean(values, 0), np.nanmean(places, 0), np.nanstd(values, 0, ddof=1)
    quantiles = {int(number): t_quantile(int(number) - 1) for number in np.unique(count)}
    half = np.array([quantiles[int(number)] for number in count]) * deviation / np.sqrt(count)
    return place, mean, mean - half, mean + half


def _group(one: Series, quantity: Quantity, split: str, view: OverlayView, unit: float) -> list[Trace]:
    name = f"{'val' if split == 'validation' else 'train'}_{quantity}"
    by_step = view.every_step and name == "train_loss"
    scale = 100.0 if quantity == "accuracy" else 1.0
    drawn = [(run, _shown(curves, name, by_step=by_step)) for run, curves in one.runs]
    drawn = [(run, points) for run, points in drawn if np.isfinite(points.values[name]).any()]
    is_group = len(drawn) > 1
    dash = "dot" if view.split == "both" and split == "train" else one.dash
    hover = ": %{y:.2f} %<extra></extra>" if quantity == "accuracy" else ": %{y:.4f}<extra></extra>"
    traces: list[Trace] = []
    for run, points in drawn:
        x, y = points.x[view.x] / unit, scale * points.values[name]
        one_point = len(y) <= 60 and not by_step
        trace = line(run, x, y, color=one.color, width=1.0 if is_group else 2.2, opacity=0.45 if is_group else 1.0)
        trace["line"] |= {"dash": dash}
        trace |= {"mode": "lines+markers" if one_point else "lines", "marker": {"size": 4 if is_group else 6}}
        traces.append(trace | {"hovertemplate": escape(run) + hover})
    if is_group:
        traces += _mean_traces(one, [points for _, points in drawn], name, view.x, (unit, scale), dash, hover)
    return traces


def _mean_traces(
    one: Series, points: Sequence[Points], name: str, x: XAxis, factors: tuple[float, float], dash: str, hover: str
) -> list[Trace]:
    unit, scale = factors
    place, mean, low, high = mean_band(points, name, x)
    if not len(mean):
        return []
    place, mean, low, high = place / unit, scale * mean, scale * low, scale * high
    # Of two seeds the interval may be ten times as wide as the axis, and an accuracy is never above 100 %.
    drawn = np.concatenate([scale * each.values[name] for each in points])
    least, greatest = np.nanmin(drawn), np.nanmax(drawn)
    low, high = np.clip(low, least, greatest), np.clip(high, least, greatest)
    red, green, blue = (int(one.color[at : at + 2], 16) for at in (1, 3, 5))
    top, bottom = thin(place, high), thin(place, low)
    band: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": f"{one.label}, 95 % interval",
        "x": encode(np.concatenate([top[0], bottom[0][::-1]])),
        "y": encode(np.concatenate([top[1], bottom[1][::-1]])),
        "fill": "toself",
        "fillcolor": f"rgba({red},{green},{blue},0.16)",
        "line": {"width": 0, "color": one.color},
        "hoverinfo": "skip",
    }
    label = f"{one.label}, mean of {len(points)}"
    trace = line(label, place, mean, color=one.color, width=3.0)
    trace["line"] |= {"dash": dash}
    return [band, trace | {"hovertemplate": escape(label) + hover}]


def _shown(curves: Curves, name: str, *, by_step: bool) -> Points:
    if not by_step:
        return curves.epochs
    smoothed = smooth(curves.steps.values["loss"], _SMOOTHING)
    return Points(x=curves.steps.x, values={name: smoothed.astype(np.float64)})


def _last_epoch(series: Sequence[Series]) -> float:
    ends = [run.epochs.x["epoch"] for one in series for _, run in one.runs]
    return max((float(np.nanmax(end)) for end in ends if np.isfinite(end).any()), default=0.0)


def _time_unit(series: Sequence[Series]) -> tuple[float, str]:
    ends = [points.x["time"] for one in series for _, run in one.runs for points in (run.epochs, run.steps)]
    longest = max((float(np.nanmax(end)) for end in ends if np.isfinite(end).any()), default=0.0)
    if longest < 180:
        return 1.0, "s"
    return (60.0, "min") if longest < 3 * 3600 else (3600.0, "h")

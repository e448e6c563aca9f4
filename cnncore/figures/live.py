"""The charts of a run while it learns: a `History` in, charts of loss, accuracy, gradients, hardware out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from cnncore.catalog import stage_title
from cnncore.figures import theme
from cnncore.figures.chart import INK, Chart, Numbers, Trace, encode, line
from cnncore.runs.events import Row
from cnncore.runs.history import History

XAxis = Literal["step", "epoch", "time"]
SETTING_NAMES = {"optimizer.lr": "learning rate"}
DETAIL_HEIGHT = 280
MAX_LINES = 12
"""Layers up to which each gets a line of its own; more are told apart better in a heat map."""
_MAP_COLUMNS = 200
_DEPTH_COLORS = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#d8c51d")
"""From the first layer to the last: viridis, its yellow darkened so that it shows on white."""


@dataclass(frozen=True)
class View:
    """How a person wants to see the curves; `smoothing` is the weight of the past, 0 for none, below 1."""

    x: XAxis = "step"
    log_y: bool = False
    smoothing: float = 0.9


def smooth(y: Numbers, weight: float) -> Numbers:
    """Exponential moving average `(N,)`, corrected for its start; gaps stay gaps and do not enter it."""
    finite = np.where(np.isfinite(y), y, np.nan)
    mean = pd.Series(finite).ewm(alpha=1 - weight, ignore_na=True).mean().to_numpy()
    return np.where(np.isnan(finite), np.nan, mean)


def loss(history: History, view: View) -> Chart:
    """Loss of every step, smoothed, and of the validation images after every epoch."""
    steps, epochs = history["step"], history["epoch"]
    x, y = _x(history, "step", view.x), steps["loss"]
    traces: list[Trace] = []
    if view.smoothing > 0:
        traces.append(
            line("each step", x, y, color=theme.TRAIN, width=1, opacity=0.3, hoverinfo="skip", showlegend=False)
        )
        y = smooth(y, view.smoothing)
    traces.append(line("training", x, y, color=theme.TRAIN, hovertemplate="%{y:.4f}"))
    traces += _validation(history, view.x, epochs["val_loss"], "%{y:.4f}")
    traces += _best(history, view.x, epochs["val_loss"], "{:.3f}", "top left")
    layout = _layout(history, view.x, "Loss", "log" if view.log_y else "linear")
    return Chart(
        label="Loss against training progress, for training and validation images",
        traces=traces if len(steps) or len(epochs) else [],
        layout=layout,
        empty="The loss of every step appears here as soon as training starts.",
    )


def accuracy(history: History, view: View) -> Chart:
    """Share of right answers after every epoch, in percent; the chart signals the end of an epoch."""
    epochs = history["epoch"]
    x = _x(history, "epoch", view.x)
    hover = "%{y:.2f} %"
    traces = [_epoch_line("training", x, 100 * epochs["train_accuracy"], theme.TRAIN, hover)]
    traces += _validation(history, view.x, 100 * epochs["val_accuracy"], hover)
    if _has_top5(history):
        top5 = line("validation, top 5", x, 100 * epochs["val_top5"], color=theme.VALIDATION, width=1.5)
        traces.append(top5 | {"line": top5["line"] | {"dash": "dot"}, "hovertemplate": hover})
    traces += _best(history, view.x, 100 * epochs["val_accuracy"], "{:.1f} %", "bottom left")
    layout = _layout(history, view.x, "Accuracy", "linear")
    layout["yaxis"] |= {"ticksuffix": " %"}
    return Chart(
        label="Accuracy in percent after every epoch, for training and validation images",
        traces=traces if len(epochs) else [],
        layout=layout,
        empty="The accuracy appears here after the first epoch.",
        signal=len(epochs),
    )


def learning_rate(history: History, view: View) -> Chart:
    """The learning rate of every step."""
    steps = history["step"]
    rate = line("learning rate", _x(history, "step", view.x), steps["lr"], color=theme.NEUTRAL)
    layout = _layout(history, view.x, "Learning rate", "log" if view.log_y else "linear", best=False)
    # Around a constant rate of 0.001 the axis would reach from -1 to 1, and the rate would look like 0.
    layout["yaxis"] |= {"rangemode": "tozero"}
    return Chart(
        label="Learning rate against training progress",
        traces=[rate | {"hovertemplate": "%{y:.3g}"}] if len(steps) else [],
        layout=layout,
        height=DETAIL_HEIGHT,
        empty="The learning rate appears here as soon as training starts.",
    )


def gradient_norm(history: History, view: View) -> Chart:
    """Length of the whole gradient at every step, on a log axis."""
    norm = history["step"]["grad_norm"]
    x = _x(history, "step", view.x)
    traces: list[Trace] = []
    if view.smoothing > 0:
        traces.append(line("each step", x, norm, color=theme.NEUTRAL, width=1, opacity=0.4, hoverinfo="skip"))
        norm = smooth(norm, view.smoothing)
    traces.append(line("gradient norm", x, norm, color=theme.NEUTRAL, hovertemplate="%{y:.3g}"))
    return Chart(
        label="Length of the gradient against training progress",
        traces=traces if np.isfinite(norm).any() else [],
        layout=_layout(history, view.x, "Gradient norm", "log", best=False) | {"showlegend": False},
        height=DETAIL_HEIGHT,
        empty="The length of the gradient appears here as soon as training starts.",
    )


def layer_gradients(history: History, view: View, *, as_map: bool) -> Chart:
    """Gradient norm of every layer over time, as lines (first layer dark, last bright) or as a heat map."""
    layers = history["layers"]
    names = [name for name in layers.names if name not in ("step", "elapsed")]
    x = _x(history, "layers", view.x)
    title = "Gradient norm by layer"
    if as_map:
        traces, layout = _layer_map(x, layers, names), _layout(history, view.x, title, "linear", best=False)
        layout["yaxis"] = {"automargin": True, "autorange": "reversed", "type": "category"}
        layout["hovermode"] = "closest"
    else:
        traces, layout = _layer_lines(x, layers, names), _layout(history, view.x, title, "log", best=False)
    return Chart(
        label="Length of the gradient of every layer against training progress",
        traces=traces if names else [],
        layout=layout,
        height=DETAIL_HEIGHT,
        empty="The gradient of every layer appears here after a few steps.",
    )


def memory(history: History, view: View) -> Chart:
    """Memory of the training process and of its GPU, in GB."""
    rows = history["hardware"]
    x = _x(history, "hardware", view.x)
    hover, scale = "%{y:.2f} GB", 2**20 / 1e9
    traces = [line("process", x, scale * rows["rss_mib"], color=theme.NEUTRAL, hovertemplate=hover)]
    if "gpu_memory_mib" in rows.names:
        traces.append(line("GPU", x, scale * rows["gpu_memory_mib"], color=theme.TEST, width=3, hovertemplate=hover))
    return _hardware_chart(history, view, "Memory, GB", traces)


def load(history: History, view: View) -> Chart:
    """How busy processor and GPU are, in percent."""
    rows = history["hardware"]
    x = _x(history, "hardware", view.x)
    hover = "%{y:.0f} %"
    traces = [line("CPU", x, rows["cpu_percent"], color=theme.NEUTRAL, hovertemplate=hover)]
    if "gpu_percent" in rows.names:
        traces.append(line("GPU", x, rows["gpu_percent"], color=theme.TEST, width=3, hovertemplate=hover))
    return _hardware_chart(history, view, "Busy, %", traces)


def speed(history: History, view: View) -> Chart:
    """Images a second."""
    rate = line("images/s", _x(history, "hardware", view.x), history["hardware"]["rate"], color=theme.NEUTRAL)
    return _hardware_chart(history, view, "Images per second", [rate | {"hovertemplate": "%{y:,.0f}"}])


def _hardware_chart(history: History, view: View, title: str, traces: Sequence[Trace]) -> Chart:
    layout = _layout(history, view.x, title, "linear", best=False)
    layout["yaxis"] |= {"rangemode": "tozero"}
    return Chart(
        label=f"{title} against training progress",
        traces=traces if len(history["hardware"]) else [],
        layout=layout,
        height=DETAIL_HEIGHT,
        empty="Appears a second after training has started.",
    )


# Traces


def _epoch_line(name: str, x: Numbers, y: Numbers, color: str, hover: str, **more: Any) -> Trace:
    mode = "lines+markers" if len(y) <= 60 else "lines"
    return line(name, x, y, color=color, **more) | {"mode": mode, "hovertemplate": hover, "marker": {"size": 6}}


def _validation(history: History, x: XAxis, y: Numbers, hover: str) -> list[Trace]:
    if len(y) and not np.isfinite(y).any():
        return []
    trace = _epoch_line("validation", _x(history, "epoch", x), y, theme.VALIDATION, hover, width=3)
    return [trace | {"marker": {"size": 8, "symbol": "diamond"}}]


def _best_index(history: History) -> int | None:
    """Which epoch is the best so far by validation, if there is any."""
    marked = np.flatnonzero(history["epoch"]["best"] == 1)
    return int(marked[-1]) if len(marked) else None


def _best(history: History, x: XAxis, y: Numbers, text: str, position: str) -> list[Trace]:
    index = _best_index(history)
    if index is None or not np.isfinite(y[index]):
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers+text",
            "name": "best",
            "x": [float(_x(history, "epoch", x)[index])],
            "y": [float(y[index])],
            "text": [f"best {text.format(y[index])}"],
            "textposition": position,
            "textfont": {"color": INK, "size": 12},
            "marker": {"symbol": "star", "size": 15, "color": theme.VALIDATION, "line": {"color": INK, "width": 1}},
            "cliponaxis": False,
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _layer_lines(x: Numbers, layers: Any, names: Sequence[str]) -> list[Trace]:
    last = max(1, len(names) - 1)
    return [
        line(name, x, layers[name], color=_depth_color(index / last), hovertemplate="%{y:.3g}")
        for index, name in enumerate(names)
    ]


def _depth_color(depth: float) -> str:
    return _DEPTH_COLORS[round(depth * (len(_DEPTH_COLORS) - 1))]


def _layer_map(x: Numbers, layers: Any, names: Sequence[str]) -> list[Trace]:
    if not names or not len(x):
        return []
    with np.errstate(divide="ignore", invalid="ignore"):
        norms = np.log10(np.stack([layers[name] for name in names]))
    norms[~np.isfinite(norms)] = np.nan
    size = 1
    while len(x) / size > _MAP_COLUMNS:
        size *= 2
    starts = np.arange(0, len(x), size)
    known = np.add.reduceat(np.isfinite(norms), starts, axis=1, dtype=np.float64)
    total = np.add.reduceat(np.nan_to_num(norms), starts, axis=1)
    mean = np.divide(total, known, out=np.full_like(total, np.nan), where=known > 0)
    return [
        {
            "type": "heatmap",
            "x": encode(x[starts]),
            "y": list(names),
            "z": encode(mean),
            "colorscale": "Viridis",
            "hovertemplate": "%{y}<br>10<sup>%{z:.1f}</sup><extra></extra>",
            "colorbar": {"thickness": 10, "outlinewidth": 0, "tickprefix": "10<sup>", "ticksuffix": "</sup>"},
        }
    ]


def _has_top5(history: History) -> bool:
    """Whether top 5 says anything: with ten classes it soon stays at 100 %."""
    for row in history.epochs:
        classes: Sequence[float] | None = row.get("per_class")
        if classes is not None:
            return len(classes) > 10
    return False


# Axes


def _time_unit(history: History) -> tuple[float, str]:
    longest = max((history[phase]["elapsed"][-1] for phase in ("step", "epoch") if len(history[phase])), default=0.0)
    if longest < 180:
        return 1.0, "s"
    return (60.0, "min") if longest < 3 * 3600 else (3600.0, "h")


def _x(history: History, phase: str, x: XAxis) -> Numbers:
    rows = history[phase]
    if x == "step":
        return rows["step"]
    if x == "time":
        return rows["elapsed"] / _time_unit(history)[0]
    if "epoch" in rows.names:
        return rows["epoch"]
    steps = history["step"]
    return np.interp(rows["step"], steps["step"], steps["epoch"]) if len(steps) else rows["step"]


def _layout(history: History, x: XAxis, title: str, scale: str, *, best: bool = True) -> dict[str, Any]:
    words = {"step": "step", "epoch": "epoch", "time": f"training time, {_time_unit(history)[1]}"}[x]
    ends = [_x(history, phase, x)[-1] for phase in ("step", "epoch") if len(history[phase])]
    shapes, notes = _marks(history, x, best=best)
    return {
        # Zoom and hidden lines survive as long as these stay the same.
        "uirevision": f"{history.run_id}/{words}",
        "title": {"text": title, "x": 0, "xref": "paper", "font": {"size": 15, "color": INK}},
        "hovermode": "x unified",
        "xaxis": {
            "title": {"text": words, "standoff": 6},
            "autorangeoptions": {"include": [0, *(float(end) for end in ends if np.isfinite(end))]},
        },
        "yaxis": {
            "type": scale,
            "uirevision": scale,
            "exponentformat": "power",
            "nticks": 6,
            "minorloglabels": "complete",
            # As powers of ten, decades and what lies between would be written in two sizes.
            **({"tickformat": "~g"} if scale == "log" else {}),
        },
        "shapes": shapes,
        "annotations": notes,
    }


def _marks(history: History, x: XAxis, *, best: bool) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Vertical lines at the best epoch, where a setting was changed by hand, where stages froze or began to learn."""
    shapes: list[Mapping[str, Any]] = []
    notes: list[Mapping[str, Any]] = []
    index = _best_index(history) if best else None
    if index is not None:
        shapes.append(_vertical(float(_x(history, "epoch", x)[index]), theme.VALIDATION))
    marks = [
        *zip(_x(history, "change", x), map(_change_words, history.changes), strict=True),
        *zip(_x(history, "freeze", x), map(_freeze_words, history.freezes), strict=True),
    ]
    for number, (place, words) in enumerate(sorted(marks, key=lambda mark: mark[0])):
        shapes.append(_vertical(float(place), INK))
        notes.append(
            {
                "x": float(place),
                "y": 0.98 - 0.09 * (number % 3),
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "top",
                "showarrow": False,
                "text": words,
                "font": {"size": 11, "color": INK},
            }
        )
    return shapes, notes


def _change_words(row: Row) -> str:
    setting = row.values["setting"]
    return f"{SETTING_NAMES.get(setting, setting)} → {row.values['value']:g}"


def _freeze_words(row: Row) -> str:
    """What was frozen and what began to learn."""
    frozen = [stage_title(stage) for stage, value in row.values.items() if value]
    learning = [stage_title(stage) for stage, value in row.values.items() if not value]
    words = [f"{', '.join(stages)} {what}" for stages, what in ((frozen, "frozen"), (learning, "learning")) if stages]
    return "; ".join(words)


def _vertical(x: float, color: str) -> Mapping[str, Any]:
    line_style = {"color": color, "width": 1, "dash": "dot"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line_style, "layer": "below"}

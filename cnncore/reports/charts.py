"""The charts of a report: those of one run as the app draws them, and the curves of several runs over each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cnncore.figures import live
from cnncore.figures.chart import INK, Chart, Numbers, Trace, escape, line
from cnncore.figures.confusion import MAX_CLASSES, confusion
from cnncore.figures.per_class import per_class
from cnncore.reports.subject import Subject

HEIGHT = 320
RUN_COLORS = ("#3B82F6", "#E07B00", "#10A37F", "#D6455D", "#8B5CF6", "#B7791F", "#0E9AA7", "#8A8F98")
_DASHES = ("solid", "dash", "dot", "dashdot")
_SMOOTHING = 0.93
_MAX_NAME = 28
_LONG_LEGEND = 3
"""Lines above which a legend has no room beside the title."""

RunStyle = tuple[str, str]
"""Color and dash of a run's lines."""


def run_style(index: int) -> RunStyle:
    """How the run number `index` of a selection is drawn: eight colors, then again with other dashes."""
    return RUN_COLORS[index % len(RUN_COLORS)], _DASHES[index // len(RUN_COLORS) % len(_DASHES)]


def run_charts(subject: Subject) -> list[Chart]:
    """Loss, accuracy, learning rate and gradient of one run; those that have nothing to show are left out."""
    view = live.View(x="epoch", smoothing=_SMOOTHING)
    log = subject.log
    charts = [live.loss(log, view), live.accuracy(log, view), live.learning_rate(log, view)]
    charts.append(live.gradient_norm(log, view))
    if len(log["layers"]):
        charts.append(live.layer_gradients(log, view, as_map=len(log["layers"].names) - 2 > live.MAX_LINES))
    return [_settled(chart) for chart in charts if chart.traces]


def _settled(chart: Chart) -> Chart:
    """A chart of the app as it looks best where it stays as it is: few labels on its axes, long legends below it."""
    y = {name: value for name, value in chart.layout["yaxis"].items() if name != "minorloglabels"}
    if y.get("type") == "linear" and not y.get("ticksuffix"):
        y["rangemode"] = "tozero"
    if y.get("type") == "log":
        y["dtick"] = "D2"
    layout = {**chart.layout, "yaxis": y}
    if sum(trace.get("showlegend", True) for trace in chart.traces) > _LONG_LEGEND:
        layout["legend"] = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}
    return replace(chart, layout=layout, height=HEIGHT)


def evaluation_charts(subject: Subject) -> list[Chart]:
    """Confusion matrix (up to fifty classes) and accuracy by class of the run's evaluation."""
    evaluation = subject.evaluation
    if evaluation is None or not evaluation.count:
        return []
    classes = subject.classes(len(evaluation.confusion))
    charts = [per_class(evaluation.confusion, classes, evaluation.split)]
    if len(classes) <= MAX_CLASSES:
        charts.insert(0, confusion(evaluation.confusion, classes, percent=False))
    return charts


@dataclass(frozen=True, kw_only=True)
class _Curve:
    """A number of the log that is compared; `scale` multiplies it."""

    title: str
    phase: str
    column: str
    hover: str
    scale: float = 1.0
    suffix: str = ""
    smoothed: bool = False
    log_y: bool = False
    from_zero: bool = True


_CURVES = (
    _Curve(title="Training loss", phase="step", column="loss", hover="%{y:.4f}", smoothed=True),
    _Curve(title="Validation loss", phase="epoch", column="val_loss", hover="%{y:.4f}"),
    _Curve(
        title="Training accuracy",
        phase="epoch",
        column="train_accuracy",
        hover="%{y:.2f} %",
        scale=100,
        suffix=" %",
        from_zero=False,
    ),
    _Curve(
        title="Validation accuracy",
        phase="epoch",
        column="val_accuracy",
        hover="%{y:.2f} %",
        scale=100,
        suffix=" %",
        from_zero=False,
    ),
    _Curve(title="Learning rate", phase="step", column="lr", hover="%{y:.3g}"),
    _Curve(title="Gradient norm", phase="step", column="grad_norm", hover="%{y:.3g}", smoothed=True, log_y=True),
)


def overlay_charts(subjects: Sequence[Subject]) -> list[Chart]:
    """Loss, accuracy, learning rate and gradient norm of several runs against epochs, each in the color of its run."""
    charts = [_overlay(curve, subjects) for curve in _CURVES]
    return [chart for chart in charts if chart.traces]


def _overlay(curve: _Curve, subjects: Sequence[Subject]) -> Chart:
    traces = [_line(curve, subject, run_style(index)) for index, subject in enumerate(subjects)]
    return Chart(
        label=f"{curve.title} of {len(subjects)} runs against epochs",
        traces=[trace for trace in traces if trace],
        layout={
            "title": {"text": curve.title, "x": 0, "xref": "paper", "font": {"size": 15, "color": INK}},
            "hovermode": "x unified",
            "showlegend": False,
            "xaxis": {"title": {"text": "epoch", "standoff": 6}, "rangemode": "tozero"},
            "yaxis": {
                "ticksuffix": curve.suffix,
                "exponentformat": "power",
                **({"type": "log", "dtick": "D2"} if curve.log_y else {"nticks": 6}),
                "rangemode": "tozero" if curve.from_zero else "normal",
            },
        },
        height=HEIGHT,
    )


def _line(curve: _Curve, subject: Subject, style: RunStyle) -> Trace:
    """A run's curve; empty where it has logged no such number."""
    rows = subject.log[curve.phase]
    y: Numbers = curve.scale * rows[curve.column]
    if not np.isfinite(y).any():
        return {}
    color, dash = style
    name = escape(short(subject.run.name))
    trace = line(name, rows["epoch"], live.smooth(y, _SMOOTHING) if curve.smoothed else y, color=color)
    trace["line"] |= {"dash": dash}
    marked = curve.phase == "epoch" and len(y) <= 60
    return trace | {"mode": "lines+markers" if marked else "lines", "marker": {"size": 6}, "hovertemplate": curve.hover}


def short(name: str) -> str:
    """A run's name as far as a chart has room for it."""
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"

"""The learning rate over a training that has not started yet."""

from __future__ import annotations

import numpy as np

from cnncore.catalog import SCHEDULES, learning_rate_factor
from cnncore.config import TrainConfig
from cnncore.figures import theme
from cnncore.figures.chart import Chart, Numbers, encode

_POINTS = 241
_EDGE = 1e-6
"""Epochs by which a point stands before a drop, so that the drop is drawn as a wall and not as a slope."""


def learning_rates(config: TrainConfig) -> tuple[Numbers, Numbers]:
    """Times in epochs `(N,)` and the learning rates at these times `(N,)`; both sides of a drop are among them."""
    schedule, total = config.schedule, float(config.training.epochs)
    drops = {
        "step": np.arange(schedule.step_epochs, total, schedule.step_epochs)[:200],
        "multistep": np.array([milestone for milestone in schedule.milestones if milestone < total]),
    }.get(schedule.name, np.empty(0))
    times = np.unique(np.concatenate([np.linspace(0, total, _POINTS), drops, drops - _EDGE, [schedule.warmup_epochs]]))
    times = times[(times >= 0) & (times <= total)]
    # The last value is the one just before the end: exactly there, a drop would never be used.
    factors = [learning_rate_factor(schedule, min(time, total - _EDGE / 2), total) for time in times.tolist()]
    return times, config.optimizer.lr * np.array(factors)


def learning_rate_chart(config: TrainConfig, height: int) -> Chart:
    """The curve of the schedule, from the first to the last epoch."""
    times, rates = learning_rates(config)
    trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "learning rate",
        "x": encode(times),
        "y": encode(rates),
        "line": {"color": theme.TRAIN, "width": 2.5},
        "fill": "tozeroy",
        "fillcolor": f"{theme.TRAIN}1F",
        "hovertemplate": "epoch %{x:.2f}: %{y:.3g}<extra></extra>",
    }
    layout = {
        "margin": {"l": 56, "r": 8, "t": 8, "b": 36},
        "showlegend": False,
        "hovermode": "x",
        "xaxis": {"title": {"text": "epoch"}, "range": [0, config.training.epochs], "showgrid": False},
        "yaxis": {"rangemode": "tozero", "exponentformat": "power", "nticks": 5},
    }
    title = SCHEDULES[config.schedule.name].title.lower()
    return Chart(
        label=f"Learning rate over {config.training.epochs} epochs, schedule {title}",
        traces=[trace],
        layout=layout,
        height=height,
    )

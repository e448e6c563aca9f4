"""The curve of the learning rate before the start."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cnncore.catalog import SCHEDULES
from cnncore.config import TrainConfig, replace
from cnncore.figures.schedule import learning_rate_chart, learning_rates


@pytest.mark.parametrize("name", list(SCHEDULES))
@pytest.mark.parametrize("epochs", [1, 7, 2_000])
def test_every_schedule_has_a_curve(name: str, epochs: int):
    settings = {"schedule.name": name, "training.epochs": epochs, "schedule.milestones": (0.5, 5_000.0)}
    config = replace(TrainConfig(), settings)
    times, rates = learning_rates(config)
    assert times[0] == 0
    assert times[-1] == epochs
    assert np.all(np.diff(times) > 0)
    assert np.all((rates >= 0) & (rates <= config.optimizer.lr * (1 + 1e-9)))
    chart = json.loads(learning_rate_chart(config, 200).to_bytes())
    assert chart["layout"]["xaxis"]["range"] == [0, epochs]


def test_drops_are_walls():
    config = replace(
        TrainConfig(),
        {"schedule.name": "multistep", "schedule.milestones": (2.0, 4.0), "optimizer.lr": 1.0, "training.epochs": 6},
    )
    times, rates = learning_rates(config)
    for drop, before, after in ((2.0, 1.0, 0.1), (4.0, 0.1, 0.01)):
        at = int(np.flatnonzero(times == drop)[0])
        assert times[at] - times[at - 1] < 1e-4
        assert rates[at - 1] == pytest.approx(before)
        assert rates[at] == pytest.approx(after)


def test_the_warm_up_rises_to_the_full_rate():
    config = replace(TrainConfig(), {"schedule.warmup_epochs": 2.0, "optimizer.lr": 0.5, "training.epochs": 6})
    times, rates = learning_rates(config)
    assert rates[0] == pytest.approx(0.005)
    assert rates[times == 2.0] == pytest.approx(0.5)

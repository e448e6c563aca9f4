"""The learning-rate finder: a rate that works, within an order of magnitude, and none where nothing is learned."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from cnncore.config import TrainConfig, replace
from cnncore.data import open_images
from cnncore.runs.events import StepEnd, Suggested
from cnncore.training.loop import with_features
from cnncore.training.lr_finder import HIGHEST, LOWEST, NUM_STEPS, find_learning_rate, suggestion
from tests.training.conftest import Prepare


def test_the_steepest_fall_is_suggested() -> None:
    rates = [10 ** (-6 + step / 20) for step in range(NUM_STEPS)]
    # A logistic fall around 1e-3 and a rise near 1.
    losses = [1 / (1 + math.exp(4 * (math.log10(rate) + 3))) + rate for rate in rates]
    assert suggestion(rates, losses) == pytest.approx(1e-3, rel=0.3)


@pytest.mark.parametrize("losses", [[], [1.0] * 60, [float(i) for i in range(60)]])
def test_without_a_fall_there_is_no_suggestion(losses: list[float]) -> None:
    assert suggestion([1e-3] * len(losses), losses) is None


def test_on_digits_it_finds_a_usable_rate(tiny: TrainConfig, prepare: Prepare) -> None:
    state, loaders = prepare(replace(tiny, {"data.train_images": 1_000}))
    events = list(find_learning_rate(state, loaders))
    steps = [event for event in events if isinstance(event, StepEnd)]
    assert steps[0].lr == LOWEST
    assert all(later.lr > earlier.lr for earlier, later in pairwise(steps))
    assert steps[-1].lr <= HIGHEST * 1.001
    last = events[-1]
    assert isinstance(last, Suggested)
    assert last.lr is not None
    assert 1e-5 < last.lr < 1e-1


def test_frozen_stages_are_frozen_while_a_rate_is_looked_for(tiny: TrainConfig, prepare: Prepare) -> None:
    settings = {"model.name": "cnn3", "transfer.head": "linear", "transfer.frozen": ("conv1", "conv2")}
    state, loaders = prepare(replace(tiny, settings))
    before = {name: value.clone() for name, value in state.model.state_dict().items()}
    *_, last = find_learning_rate(state, loaders)
    assert isinstance(last, Suggested)
    for name, value in state.model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith(("conv1.", "conv2.")), name


def test_a_rate_for_a_head_is_found_on_kept_features(
    tiny: TrainConfig, prepare: Prepare, data_root: Path, tmp_path: Path
) -> None:
    config = replace(tiny, {"model.name": "cnn3", "transfer.head": "linear", "transfer.frozen": ("all",)})
    state, loaders = prepare(config)
    images = open_images(config.data, data_root)
    loaders = with_features(loaders, images, state, tmp_path, lambda text, done, total: None)
    assert loaders.now(state) is loaders.features
    kept = [float(event.loss) for event in find_learning_rate(state, loaders) if isinstance(event, StepEnd)]
    other, ordinary = prepare(config)
    losses = [float(event.loss) for event in find_learning_rate(other, ordinary) if isinstance(event, StepEnd)]
    assert kept[:60] == pytest.approx(losses[:60], rel=1e-3)

"""The learning-rate finder: a rate that works, within an order of magnitude, and none where nothing is learned."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from cnncore.config import TrainConfig, replace
from cnncore.runs.events import StepEnd, Suggested
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

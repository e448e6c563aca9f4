"""Finds a learning rate: a short run in which it rises from tiny to far too large, and where the loss falls fastest.

Source: Smith, Cyclical learning rates for training neural networks, 2017, section 3.3 (the "LR range test"), with an
exponential rise and the steepest point of the smoothed loss as the suggestion.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import count

from cnncore.runs.events import Event, Suggested
from cnncore.training.loop import Loaders, started, train_step
from cnncore.training.state import TrainState

NUM_STEPS = 120
LOWEST, HIGHEST = 1e-6, 10.0
_SMOOTHING = 0.9
_GIVE_UP_FACTOR = 3.0
"""The test ends when the smoothed loss is this many times its lowest value: from there on it only gets worse."""
_SLOPE_SPAN = 5
"""Steps to either side over which a slope is measured."""


def find_learning_rate(state: TrainState, loaders: Loaders) -> Iterator[Event]:
    """Take up to 120 steps with a rising learning rate; the last event is the suggestion. The weights are spoiled."""
    state.begin_freezing(loaders.steps_per_epoch)
    yield started(state, loaders, total_steps=NUM_STEPS)
    rates: list[float] = []
    losses: list[float] = []
    average = 0.0
    source = loaders.now(state)
    for batch in (batch for epoch in count() for batch in source.train.epoch(epoch)):
        lr = LOWEST * (HIGHEST / LOWEST) ** (state.step / (NUM_STEPS - 1))
        event = train_step(state, batch, lr, loaders.steps_per_epoch, from_features=source is not loaders)
        yield event
        average = _SMOOTHING * average + (1 - _SMOOTHING) * float(event.loss)
        smoothed = average / (1 - _SMOOTHING**state.step)
        if not math.isfinite(smoothed) or smoothed > _GIVE_UP_FACTOR * min([*losses, smoothed]):
            break
        rates.append(lr)
        losses.append(smoothed)
        if state.step == NUM_STEPS:
            break
    yield Suggested(step=state.step, lr=suggestion(rates, losses))


def suggestion(rates: Sequence[float], losses: Sequence[float]) -> float | None:
    """The rate at which the smoothed loss falls fastest, rounded to two digits; None where it never falls.

    Args:
        rates: Learning rates, rising by a constant factor.
        losses: Smoothed losses at these rates.
    """
    lowest = min(range(len(losses)), key=losses.__getitem__, default=0)
    slopes = {
        at: losses[at + _SLOPE_SPAN] - losses[at - _SLOPE_SPAN]
        for at in range(_SLOPE_SPAN, min(lowest + 1, len(losses) - _SLOPE_SPAN))
    }
    if not slopes:
        return None
    steepest = min(slopes, key=slopes.__getitem__)
    return float(f"{rates[steepest]:.1e}") if slopes[steepest] < 0 else None

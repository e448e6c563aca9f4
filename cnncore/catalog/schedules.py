"""How the learning rate moves: each schedule is a factor on the base rate as a function of the time in epochs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class ScheduleValues(Protocol):
    """The settings a schedule reads; `cnncore.config.ScheduleConfig` has them."""

    @property
    def name(self) -> str: ...
    @property
    def warmup_epochs(self) -> float: ...
    @property
    def step_epochs(self) -> float: ...
    @property
    def gamma(self) -> float: ...
    @property
    def milestones(self) -> tuple[float, ...]: ...
    @property
    def final_fraction(self) -> float: ...
    @property
    def rise_fraction(self) -> float: ...
    @property
    def start_fraction(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class ScheduleSpec:
    """One schedule; `settings` are the fields of `schedule` it reads besides `warmup_epochs`.

    `factor(t, total, values)` maps the time `t` in epochs (0 ≤ t ≤ total) to a factor, 0 to 1.
    """

    title: str
    summary: str
    settings: tuple[str, ...]
    factor: Callable[[float, float, ScheduleValues], float]


def _constant(t: float, total: float, values: ScheduleValues) -> float:
    return 1.0


def _step(t: float, total: float, values: ScheduleValues) -> float:
    # The small term keeps t = 2.9999999 (a sum of step fractions) on the side of epoch 3.
    return values.gamma ** math.floor(t / values.step_epochs + 1e-9)


def _multistep(t: float, total: float, values: ScheduleValues) -> float:
    return values.gamma ** sum(t + 1e-9 >= milestone for milestone in values.milestones)


def _half_cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2


def _cosine(t: float, total: float, values: ScheduleValues) -> float:
    span = total - values.warmup_epochs
    progress = (t - values.warmup_epochs) / span if span > 0 else 1.0
    return _half_cosine(1.0, values.final_fraction, progress)


def _one_cycle(t: float, total: float, values: ScheduleValues) -> float:
    peak = values.rise_fraction * total
    if t < peak:
        return _half_cosine(values.start_fraction, 1.0, t / peak)
    return _half_cosine(1.0, values.final_fraction, (t - peak) / (total - peak) if total > peak else 1.0)


SCHEDULES: dict[str, ScheduleSpec] = {
    "constant": ScheduleSpec(
        title="Constant", summary="The same learning rate throughout.", settings=(), factor=_constant
    ),
    "step": ScheduleSpec(
        title="Steps",
        summary="Multiplied by a factor every so many epochs.",
        settings=("step_epochs", "gamma"),
        factor=_step,
    ),
    "multistep": ScheduleSpec(
        title="Milestones",
        summary="Multiplied by a factor at chosen epochs, as in the ResNet paper.",
        settings=("milestones", "gamma"),
        factor=_multistep,
    ),
    "cosine": ScheduleSpec(
        title="Cosine",
        summary="Falls along half a cosine wave to (almost) zero.",
        settings=("final_fraction",),
        factor=_cosine,
    ),
    "one_cycle": ScheduleSpec(
        title="One cycle",
        summary="Rises, then falls: often the quickest way to a good result.",
        settings=("rise_fraction", "start_fraction", "final_fraction"),
        factor=_one_cycle,
    ),
}


def learning_rate_factor(values: ScheduleValues, t: float, total: float) -> float:
    """Factor on the base learning rate at time `t` of `total` epochs, warm-up included.

    Warm-up is linear from one hundredth (Goyal et al., 2017, section 2.2 start from a small constant as well).
    """
    factor = SCHEDULES[values.name].factor(t, total, values)
    if values.warmup_epochs > 0 and t < values.warmup_epochs:
        factor *= 0.01 + 0.99 * t / values.warmup_epochs
    return factor

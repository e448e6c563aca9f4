"""Which stages keep their weights at a step: a pure function, so that resuming needs no state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnncore.catalog import frozen_stages, stages_of
from cnncore.config import TrainConfig
from cnncore.transfer.network import HEAD, stage_modules, stage_weights

SETTING = "transfer.frozen."
"""What the name of a live change begins with; the stage follows, and its value is 1 for frozen, 0 for learning."""


class FreezeChange(NamedTuple):
    """From the step after `step` on, the stage is frozen or learns."""

    step: int
    stage: str
    frozen: bool


def scheduled(config: TrainConfig, steps_per_epoch: int) -> tuple[FreezeChange, ...]:
    """Gradual unfreezing: which stage begins to learn when, the one below the head first."""
    every = config.transfer.unfreeze_every
    if not every:
        return ()
    frozen = frozen_stages(config.model.name, config.transfer.frozen)
    waiting = [stage.key for stage in reversed(stages_of(config.model.name)) if stage.key in frozen]
    return tuple(
        FreezeChange(math.ceil(number * every * steps_per_epoch), stage, frozen=False)
        for number, stage in enumerate(waiting, start=1)
    )


def frozen_at(config: TrainConfig, step: int, steps_per_epoch: int, changes: Sequence[FreezeChange]) -> frozenset[str]:
    """The stages that are frozen in the step after `step` steps.

    Args:
        config: The configuration.
        step: Steps already taken.
        steps_per_epoch: Steps in an epoch.
        changes: What a person changed while the run was on, in order; at the same step it wins over the schedule.
    """
    frozen = set(frozen_stages(config.model.name, config.transfer.frozen))
    for change in sorted([*scheduled(config, steps_per_epoch), *changes], key=lambda each: each.step):
        if change.step <= step:
            (frozen.add if change.frozen else frozen.discard)(change.stage)
    return frozenset(frozen)


class Stages:
    """The stages of one network while it trains.

    Args:
        model: The network.
        config: The run's configuration.

    Attributes:
        weights: Parameters by stage, input side first; the head's under `HEAD`.
        frozen: The stages that are frozen now.
    """

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        self.weights = stage_weights(model, config.model.name)
        self.frozen: frozenset[str] = frozenset()
        self._modules = stage_modules(model, config.model.name)
        self._adapts = config.transfer.batch_norm == "adapting"

    @property
    def all_frozen(self) -> bool:
        """Whether nothing but the head learns."""
        return len(self.frozen) == len(self.weights) - 1

    @property
    def learning(self) -> tuple[str, ...]:
        """Names of the stages that learn, the head last."""
        return tuple(name for name in self.weights if name not in self.frozen)

    def freeze(self, frozen: frozenset[str]) -> None:
        """Freeze exactly these stages; the others learn."""
        self.frozen = frozen
        for name, weights in self.weights.items():
            for weight in weights:
                weight.requires_grad_(name not in frozen)
                if name in frozen:
                    weight.grad = None

    def set_modes(self) -> None:
        """Put frozen stages into evaluation mode: no dropout, and batch normalization by the statistics it has.

        With `transfer.batch_norm=adapting` the statistics follow the images all the same.
        """
        for name in self.frozen:
            for module in self._modules[name]:
                module.train(self._adapts and isinstance(module, _BatchNorm))


def stage_of(setting: str, config: TrainConfig) -> str | None:
    """The stage that a live change is about; None where it is about something else or there is no such stage."""
    name = setting.removeprefix(SETTING)
    known = {stage.key for stage in stages_of(config.model.name)}
    return name if setting.startswith(SETTING) and name in known else None


__all__ = ["HEAD", "SETTING", "FreezeChange", "Stages", "frozen_at", "scheduled", "stage_of"]

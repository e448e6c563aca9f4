"""Optimizers and the learning rate at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from cnncore.catalog import learning_rate_factor
from cnncore.config import OptimizerConfig, TrainConfig


class LearningRateChange(NamedTuple):
    """From the step after `step` on, the base learning rate is `value`."""

    step: int
    value: float


def _sgd(parameters: Iterable[nn.Parameter], config: OptimizerConfig, **options: Any) -> torch.optim.Optimizer:
    momentum = 0.0 if config.name == "sgd" else config.momentum
    return torch.optim.SGD(
        parameters,
        lr=config.lr,
        momentum=momentum,
        nesterov=config.name == "nesterov",
        weight_decay=config.weight_decay,
        **options,
    )


def _adam(parameters: Iterable[nn.Parameter], config: OptimizerConfig, **options: Any) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if config.name == "adamw" else torch.optim.Adam
    return kind(
        parameters,
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        eps=config.eps,
        weight_decay=config.weight_decay,
        **options,
    )


def _rmsprop(parameters: Iterable[nn.Parameter], config: OptimizerConfig, **options: Any) -> torch.optim.Optimizer:
    # There is no fused RMSprop; one call for all parameters is the next best.
    return torch.optim.RMSprop(
        parameters,
        lr=config.lr,
        alpha=config.alpha,
        eps=config.eps,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        foreach=True,
    )


_BUILDERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": _sgd,
    "momentum": _sgd,
    "nesterov": _sgd,
    "adam": _adam,
    "adamw": _adam,
    "rmsprop": _rmsprop,
}


def build_optimizer(model: nn.Module, config: OptimizerConfig, device: torch.device) -> torch.optim.Optimizer:
    """The optimizer of `config` over all trainable parameters; weight decay applies to all, as in the papers."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    fused = device.type in ("cpu", "cuda", "mps")
    return _BUILDERS[config.name](parameters, config, fused=fused)


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int, changes: Sequence[LearningRateChange]) -> float:
    """The learning rate of the step after `step` steps: a pure function, so that resuming needs no state.

    Args:
        config: The configuration.
        step: Steps already taken.
        steps_per_epoch: Steps in an epoch.
        changes: Changes of the base rate made while the run was on, in order.
    """
    base = config.optimizer.lr
    for change in changes:
        if change.step <= step:
            base = change.value
    return base * learning_rate_factor(config.schedule, step / steps_per_epoch, config.training.epochs)

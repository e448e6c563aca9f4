"""Optimizers and the learning rate at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from cnncore.catalog import learning_rate_factor
from cnncore.config import OptimizerConfig, TrainConfig

Tensors = list[Tensor]
kernels: Any = torch
"""torch, for what it has for its own optimizers and does not list: updates of many tensors in one call."""


class LearningRateChange(NamedTuple):
    """From the step after `step` on, the base learning rate is `value`."""

    step: int
    value: float


@dataclass(frozen=True)
class Rule:
    """How an optimizer moves the weights; `buffers` names what it keeps for each of them, in the weight's shape.

    `update(weights, gradients, optimizer)` works in place, after the step was counted.
    """

    update: Callable[[Tensors, Tensors, Optimizer], None]
    buffers: tuple[str, ...] = ()


class Optimizer:
    """Moves weights against their gradients, with one kernel call for all of them.

    The updates are those of `torch.optim`. Its classes are not used because they import torch's compiler, which takes
    more than a second of computing at the start of every run.

    Attributes:
        weights: What it moves.
        config: Its name and parameters.
        lr: The learning rate of the next step.
        steps: Steps taken.
        buffers: What the rule keeps, by name, in the order of `weights`.
        count: `steps` as the fused kernels want it, on the weights' device.
    """

    def __init__(self, weights: Iterable[nn.Parameter], config: OptimizerConfig) -> None:
        self.weights = list(weights)
        self.config = config
        self.lr = config.lr
        self.steps = 0
        self._rule = _RULES[config.name]
        self.buffers = {name: [torch.zeros_like(weight) for weight in self.weights] for name in self._rule.buffers}
        self.count = torch.zeros((), device=self.weights[0].device)
        # Where torch.amp.GradScaler looks for the gradients.
        self.param_groups = [{"params": self.weights}]

    @torch.no_grad()
    def step(self) -> None:
        """Take a step; weights without a gradient raise ValueError, since none is left out of the networks here."""
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        if len(gradients) != len(self.weights):
            raise ValueError(f"{len(self.weights) - len(gradients)} of {len(self.weights)} weights have no gradient.")
        self.steps += 1
        self.count += 1
        self._rule.update(list(self.weights), gradients, self)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Everything but the weights and the configuration."""
        return {"steps": self.steps, "lr": self.lr, "buffers": self.buffers}

    @torch.no_grad()
    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Become the state that `state_dict` described."""
        self.steps, self.lr = values["steps"], values["lr"]
        self.count.fill_(self.steps)
        for name, buffers in self.buffers.items():
            for buffer, value in zip(buffers, values["buffers"][name], strict=True):
                buffer.copy_(value)


class StagedOptimizer:
    """An optimizer for each stage of a network, so that stages can begin and cease to learn at any step.

    A stage's optimizer is made when the stage first learns, and is kept when it is frozen again.

    Args:
        weights: The parameters of each stage.
        config: Its name and parameters.
        factors: On the learning rate of each stage; 1 where a stage is not named.

    Attributes:
        parts: The optimizers of the stages that have ever learned.
        learning: The stages that learn now.
    """

    def __init__(
        self, weights: Mapping[str, Sequence[nn.Parameter]], config: OptimizerConfig, factors: Mapping[str, float]
    ) -> None:
        self.config = config
        self.parts: dict[str, Optimizer] = {}
        self.learning: tuple[str, ...] = ()
        self.lr = config.lr
        self._all = weights
        self._factors = factors

    def learn(self, stages: Sequence[str]) -> None:
        """Move exactly these stages from now on."""
        self.learning = tuple(stages)
        for stage in stages:
            if stage not in self.parts:
                self.parts[stage] = Optimizer(self._all[stage], self.config)

    @property
    def weights(self) -> Tensors:
        """What it moves now."""
        return [weight for stage in self.learning for weight in self.parts[stage].weights]

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Where torch.amp.GradScaler looks for the gradients."""
        return [{"params": self.weights}]

    def step(self) -> None:
        """Take a step in every stage that learns."""
        for stage in self.learning:
            self.parts[stage].lr = self.lr * self._factors.get(stage, 1.0)
            self.parts[stage].step()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for stage in self.learning:
            self.parts[stage].zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """Everything but the weights and the configuration."""
        return {"lr": self.lr, "parts": {stage: part.state_dict() for stage, part in self.parts.items()}}

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Become the state that `state_dict` described."""
        self.lr = values["lr"]
        self.parts = {stage: Optimizer(self._all[stage], self.config) for stage in values["parts"]}
        for stage, part in self.parts.items():
            part.load_state_dict(values["parts"][stage])


def _sgd(weights: Tensors, gradients: Tensors, optimizer: Optimizer) -> None:
    config = optimizer.config
    kernels._fused_sgd_(
        weights,
        gradients,
        optimizer.buffers.get("momentum", []),
        lr=optimizer.lr,
        momentum=config.momentum if optimizer.buffers else 0.0,
        nesterov=config.name == "nesterov",
        weight_decay=config.weight_decay,
        dampening=0.0,
        maximize=False,
        is_first_step=optimizer.steps == 1,
    )


def _adam(weights: Tensors, gradients: Tensors, optimizer: Optimizer) -> None:
    config = optimizer.config
    update = kernels._fused_adamw_ if config.name == "adamw" else kernels._fused_adam_
    update(
        weights,
        gradients,
        optimizer.buffers["mean"],
        optimizer.buffers["square"],
        [],
        [optimizer.count] * len(weights),
        lr=optimizer.lr,
        beta1=config.beta1,
        beta2=config.beta2,
        eps=config.eps,
        weight_decay=config.weight_decay,
        amsgrad=False,
        maximize=False,
    )


def _rmsprop(weights: Tensors, gradients: Tensors, optimizer: Optimizer) -> None:
    # There is no fused kernel; one call for all weights is the next best.
    config, squares, momenta = optimizer.config, optimizer.buffers["square"], optimizer.buffers["momentum"]
    if config.weight_decay:
        gradients = list(kernels._foreach_add(gradients, weights, alpha=config.weight_decay))
    kernels._foreach_mul_(squares, config.alpha)
    kernels._foreach_addcmul_(squares, gradients, gradients, 1 - config.alpha)
    roots = kernels._foreach_sqrt(squares)
    kernels._foreach_add_(roots, config.eps)
    kernels._foreach_mul_(momenta, config.momentum)
    kernels._foreach_addcdiv_(momenta, gradients, roots)
    kernels._foreach_add_(weights, momenta, alpha=-optimizer.lr)


_RULES: dict[str, Rule] = {
    "sgd": Rule(_sgd),
    "momentum": Rule(_sgd, ("momentum",)),
    "nesterov": Rule(_sgd, ("momentum",)),
    "adam": Rule(_adam, ("mean", "square")),
    "adamw": Rule(_adam, ("mean", "square")),
    "rmsprop": Rule(_rmsprop, ("square", "momentum")),
}


def build_optimizer(model: nn.Module, config: OptimizerConfig) -> Optimizer:
    """The optimizer of `config` over all trainable parameters; weight decay applies to all, as in the papers."""
    return Optimizer((parameter for parameter in model.parameters() if parameter.requires_grad), config)


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

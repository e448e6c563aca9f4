"""The optimizers: what each is called, what it is good for, and which settings it reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OptimizerSpec:
    """One optimizer; `settings` are the fields of `optimizer` it reads besides `lr` and `weight_decay`."""

    title: str
    summary: str
    source: str
    settings: tuple[str, ...]
    typical_lr: float


OPTIMIZERS: dict[str, OptimizerSpec] = {
    "sgd": OptimizerSpec(
        title="SGD",
        summary="A step against the gradient of each batch, nothing else.",
        source="Robbins, Monro, 1951",
        settings=(),
        typical_lr=0.1,
    ),
    "momentum": OptimizerSpec(
        title="SGD with momentum",
        summary="Keeps rolling in the direction of recent steps; what AlexNet, VGG and ResNet used.",
        source="Polyak, 1964",
        settings=("momentum",),
        typical_lr=0.05,
    ),
    "nesterov": OptimizerSpec(
        title="SGD with Nesterov momentum",
        summary="Momentum that looks ahead before it steps.",
        source="Nesterov, 1983; Sutskever et al., 2013",
        settings=("momentum",),
        typical_lr=0.05,
    ),
    "adam": OptimizerSpec(
        title="Adam",
        summary="Scales every weight's step by its recent gradients; forgiving about the learning rate.",
        source="Kingma, Ba, 2014",
        settings=("beta1", "beta2", "eps"),
        typical_lr=1e-3,
    ),
    "adamw": OptimizerSpec(
        title="AdamW",
        summary="Adam with weight decay applied to the weights instead of the gradient.",
        source="Loshchilov, Hutter, 2017",
        settings=("beta1", "beta2", "eps"),
        typical_lr=1e-3,
    ),
    "rmsprop": OptimizerSpec(
        title="RMSprop",
        summary="Divides by a running size of the gradient; what Inception v2 and v3 were trained with.",
        source="Tieleman, Hinton, 2012",
        settings=("momentum", "alpha", "eps"),
        typical_lr=1e-3,
    ),
}

OPTIMIZER_STATES = {"sgd": 0, "momentum": 1, "nesterov": 1, "adam": 2, "adamw": 2, "rmsprop": 2}
"""Numbers that an optimizer keeps for each parameter (RMSprop: with momentum)."""

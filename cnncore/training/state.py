"""Everything a training run is at a moment: weights, optimizer, position and what was best so far.

Every random draw of a run (order of the images, augmentation, dropout) is a function of the seed and the position, so
there are no random states to keep: a state restored at a step goes on exactly as if it had never stopped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from cnncore.config import TrainConfig
from cnncore.models import build_model
from cnncore.training.metrics import Sums
from cnncore.training.optim import LearningRateChange, Optimizer, build_optimizer, learning_rate
from cnncore.training.shares import Team, form_team

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
FORMAT = 2
"""Version of the dictionaries `TrainState.to_dict` returns."""


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """The context in which a network computes in fp32, bf16 or fp16."""
    return nullcontext() if precision == "fp32" else torch.autocast(device.type, DTYPES[precision])


@dataclass
class Best:
    """The best epoch so far: by validation accuracy, then by validation loss."""

    epoch: int = 0
    accuracy: float = -math.inf
    loss: float = math.inf
    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def is_beaten_by(self, accuracy: float, loss: float) -> bool:
        return (accuracy, -loss) > (self.accuracy, -self.loss)


@dataclass
class TrainState:
    """A run in progress; build it with `new_state`, restore it with `restore`.

    Attributes:
        step: Optimizer steps taken.
        evaluated: Epochs that were evaluated.
        stale: Epochs since the validation loss was lowest, for early stopping.
        lowest_loss: That loss.
        sums: Training loss and hits of the epoch in progress.
        elapsed_s: Time spent training, evaluation included.
        changes: Changes of the learning rate made while the run was on.
        scaler: Keeps the gradients of fp16 in its range.
        team: The threads that share a batch on a CPU; None where it goes through the network at once.
    """

    config: TrainConfig
    model: nn.Module
    optimizer: Optimizer
    device: torch.device
    precision: str
    step: int = 0
    evaluated: int = 0
    stale: int = 0
    lowest_loss: float = math.inf
    best: Best = field(default_factory=Best)
    sums: Sums = field(default_factory=Sums)
    ema: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    elapsed_s: float = 0.0
    changes: list[LearningRateChange] = field(default_factory=list[LearningRateChange])
    scaler: torch.amp.GradScaler | None = None
    team: Team | None = None

    def __post_init__(self) -> None:
        self.forward = torch.compile(self.model) if self.config.training.compile else self.model
        if self.precision == "fp16":
            self.scaler = torch.amp.GradScaler(self.device.type)
        elif self.device.type == "cpu" and not self.config.training.compile:
            self.team = form_team(self.model, self.config.training.batch_size)

    @property
    def dtype(self) -> torch.dtype:
        return DTYPES[self.precision]

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which the network computes."""
        return autocast(self.device, self.precision)

    def next_learning_rate(self, steps_per_epoch: int) -> float:
        return learning_rate(self.config, self.step, steps_per_epoch, self.changes)

    def update_ema(self) -> None:
        """Move the averaged weights towards the present ones; batch-norm statistics are averaged as well."""
        decay = self.config.training.ema
        if decay is None:
            return
        current = self.model.state_dict()
        if not self.ema:
            self.ema = {name: value.detach().clone() for name, value in current.items()}
            return
        # A young average follows more closely, otherwise its random start would show for thousands of steps.
        weight = 1 - min(decay, (1 + self.step) / (10 + self.step))
        for name, value in current.items():
            if value.is_floating_point():
                self.ema[name].lerp_(value.detach(), weight)
            else:
                self.ema[name].copy_(value)

    def evaluated_weights(self) -> dict[str, Tensor]:
        """The weights that are evaluated: the moving average where there is one."""
        return self.ema or dict(self.model.state_dict())

    def predict(self, images: Tensor, weights: Mapping[str, Tensor] | None = None) -> Tensor:
        """Logits `(N, K)` in evaluation mode, with other weights if given."""
        self.model.eval()
        with self.autocast():
            if weights:
                return functional_call(self.model, dict(weights), (images,))
            return self.forward(images)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the configuration and the device, as plain values and tensors."""
        return {
            "format": FORMAT,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": self.ema,
            "best": vars(self.best),
            "sums": vars(self.sums),
            "scaler": self.scaler.state_dict() if self.scaler else {},
            "changes": [tuple(change) for change in self.changes],
        } | {name: getattr(self, name) for name in _PLAIN}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Become the state that `to_dict` described."""
        self.model.load_state_dict(values["model"])
        self.optimizer.load_state_dict(values["optimizer"])
        self.ema = {name: value.to(self.device) for name, value in values["ema"].items()}
        self.best = Best(**values["best"])
        self.best.weights = {name: value.to(self.device) for name, value in self.best.weights.items()}
        self.sums = Sums(**values["sums"])
        self.changes = [LearningRateChange(*change) for change in values["changes"]]
        if self.scaler:
            self.scaler.load_state_dict(values["scaler"])
        for name in _PLAIN:
            setattr(self, name, values[name])


_PLAIN = ("step", "evaluated", "stale", "lowest_loss", "elapsed_s")


def new_state(
    config: TrainConfig, in_shape: tuple[int, int, int], num_classes: int, *, device: torch.device, precision: str
) -> TrainState:
    """The state before the first step; `in_shape` is that of the stored images, `precision` fp32, bf16 or fp16."""
    model = build_model(config.model, in_shape, num_classes, seed=config.training.seed)
    model = model.to(device).to(memory_format=torch.channels_last)
    optimizer = build_optimizer(model, config.optimizer)
    return TrainState(config=config, model=model, optimizer=optimizer, device=device, precision=precision)

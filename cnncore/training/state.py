"""Everything a training run is at a moment: weights, optimizer, position and what was best so far.

Every random draw of a run (order of the images, augmentation, dropout) is a function of the seed and the position, so
there are no random states to keep: a state restored at a step goes on exactly as if it had never stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from cnncore.catalog import stages_of
from cnncore.config import TrainConfig
from cnncore.config.transfer import keeps_features
from cnncore.training.freezing import FreezeChange, Stages, frozen_at
from cnncore.training.metrics import Sums
from cnncore.training.optim import LearningRateChange, Optimizer, StagedOptimizer, build_optimizer, learning_rate
from cnncore.training.shares import Team, form_team
from cnncore.transfer.network import HEAD, build_network, split_network

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
        stages: The stages of transfer learning; None in an ordinary run.
        freezes: Stages a person froze or unfroze while the run was on.
        compiled: What full batches go through in training, see `cnncore.training.compiling`; None for the model itself.
    """

    config: TrainConfig
    model: nn.Module
    optimizer: Optimizer | StagedOptimizer
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
    stages: Stages | None = None
    freezes: list[FreezeChange] = field(default_factory=list[FreezeChange])
    compiled: Callable[[Tensor], Any] | None = None

    def __post_init__(self) -> None:
        self.backbone, self.head = split_network(self.model, self.config.model.name)
        # Walking through the layers of a deep network takes longer than a step of its head.
        self.parameters = tuple(self.model.named_parameters())
        if self.precision == "fp16":
            self.scaler = torch.amp.GradScaler(self.device.type)
        elif self.device.type == "cpu" and not self.config.training.compile and self.stages is None:
            self.team = form_team(self.model, self.config.training.batch_size)

    @property
    def dtype(self) -> torch.dtype:
        return DTYPES[self.precision]

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which the network computes."""
        return autocast(self.device, self.precision)

    def forward(self, images: Tensor) -> Any:
        """Outputs of the network in the mode it is in: logits `(N, K)`, in training those of all its heads."""
        full = len(images) == self.config.training.batch_size
        return self.compiled(images) if self.compiled is not None and full else self.model(images)

    def next_learning_rate(self, steps_per_epoch: int) -> float:
        return learning_rate(self.config, self.step, steps_per_epoch, self.changes)

    def begin_freezing(self, steps_per_epoch: int) -> None:
        """Freeze what was frozen in the last step taken, or is to be in the first one."""
        if self.stages is not None:
            self._freeze(frozen_at(self.config, max(self.step - 1, 0), steps_per_epoch, self.freezes))

    def follow_freezing(self, steps_per_epoch: int) -> dict[str, bool]:
        """Freeze and unfreeze what is due at the next step; returns the stages that changed: whether each is frozen."""
        if self.stages is None or not isinstance(self.optimizer, StagedOptimizer):
            return {}
        before = self.stages.frozen
        self._freeze(frozen_at(self.config, self.step, steps_per_epoch, self.freezes))
        return {stage: stage in self.stages.frozen for stage in sorted(before ^ self.stages.frozen)}

    def freezing_is_due(self, steps_per_epoch: int) -> bool:
        """Whether what is frozen changes before the next step."""
        if self.stages is None:
            return False
        return frozen_at(self.config, self.step, steps_per_epoch, self.freezes) != self.stages.frozen

    def _freeze(self, frozen: frozenset[str]) -> None:
        assert self.stages is not None
        assert isinstance(self.optimizer, StagedOptimizer)
        if frozen != self.stages.frozen or not self.optimizer.learning:
            self.stages.freeze(frozen)
            self.optimizer.learn(self.stages.learning)
            self.set_training()

    @property
    def keeps_features(self) -> bool:
        """Whether the backbone is as it came and stays so for now, so that features of it may be kept."""
        if self.stages is None or not isinstance(self.optimizer, StagedOptimizer):
            return False
        untouched = set(self.optimizer.parts) <= {HEAD}
        return self.stages.all_frozen and untouched and keeps_features(self.config)

    @property
    def num_trainable(self) -> int:
        """Parameters that learn now."""
        return sum(weight.numel() for weight in self.optimizer.weights)

    def set_training(self) -> None:
        """Training mode, with frozen stages held."""
        self.model.train()
        self.head.train()
        if self.stages is not None:
            self.stages.set_modes()

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

    def predict(
        self, images: Tensor, weights: Mapping[str, Tensor] | None = None, *, from_features: bool = False
    ) -> Tensor:
        """Logits `(N, K)` in evaluation mode, with other weights if given.

        Args:
            images: `(N, C, H, W)`, or with `from_features` the backbone's features of them, `(N, D)`.
            weights: Of the whole network.
            from_features: Whether only the head is asked.
        """
        model = self.head if from_features else self.model
        model.eval()
        with self.autocast():
            if weights:
                names = model.state_dict().keys()
                return functional_call(model, {name: weights[name] for name in names}, (images,))
            return model(images)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the configuration and the device, as plain values and tensors."""
        return {
            "format": FORMAT,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": self.ema,
            "best": vars(self.best),
            "sums": {"values": self.sums.totals(), "count": self.sums.count},
            "scaler": self.scaler.state_dict() if self.scaler else {},
            "changes": [tuple(change) for change in self.changes],
            "freezes": [tuple(change) for change in self.freezes],
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
        # Checkpoints of before there was transfer learning have none.
        self.freezes = [FreezeChange(*change) for change in values.get("freezes", ())]
        if self.scaler:
            self.scaler.load_state_dict(values["scaler"])
        for name in _PLAIN:
            setattr(self, name, values[name])


_PLAIN = ("step", "evaluated", "stale", "lowest_loss", "elapsed_s")


def new_state(
    config: TrainConfig, in_shape: tuple[int, int, int], num_classes: int, *, device: torch.device, precision: str
) -> TrainState:
    """The state before the first step; `in_shape` is that of the stored images, `precision` fp32, bf16 or fp16."""
    model = build_network(config, in_shape, num_classes, seed=config.training.seed)
    model = model.to(device).to(memory_format=torch.channels_last)
    stages = Stages(model, config) if config.transfer.active else None
    if stages is None:
        optimizer = build_optimizer(model, config.optimizer)
    else:
        keys = [stage.key for stage in stages_of(config.model.name)]
        factors = dict(zip(keys, config.transfer.stage_lr, strict=False))
        optimizer = StagedOptimizer(stages.weights, config.optimizer, factors)
    return TrainState(
        config=config, model=model, optimizer=optimizer, device=device, precision=precision, stages=stages
    )

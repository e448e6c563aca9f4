"""What a training run reports, in the order in which it happens; `fit` yields these, the worker records them.

Numbers typed `Scalar` may still be on the device: reading one waits for the device, so it is done a few times a second
for many steps at once and never inside the training loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, SupportsFloat

import numpy as np
import numpy.typing as npt

Scalar = SupportsFloat


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """Something begins that takes a while before the next step can be taken; `text` says what."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Started:
    """Training is about to begin or to go on."""

    step: int
    epoch: int
    steps_per_epoch: int
    total_steps: int
    num_params: int
    num_train: int
    num_validation: int
    num_test: int
    device: str
    precision: str
    threads: int
    num_trainable: int


@dataclass(frozen=True, kw_only=True)
class StepEnd:
    """One optimizer step is done; `step` counts from 1 over the whole run, `epoch` is its time in epochs."""

    step: int
    epoch: float
    loss: Scalar
    lr: float
    images: int
    grad_norm: Scalar | None = None
    layer_grad_norms: Mapping[str, Scalar] | None = None


@dataclass(frozen=True, kw_only=True)
class Evaluating:
    """A batch of an evaluation is done; nothing but a chance to show progress or to stop."""

    split: str
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How a network does on a split.

    Attributes:
        confusion: `(K, K)` int64, rows are true classes, columns predicted ones.
        examples: Rows of a handful of images, right and wrong.
    """

    split: str
    loss: float
    correct: int
    top5_correct: int
    count: int
    confusion: npt.NDArray[np.int64]
    examples: Examples | None = None

    @property
    def accuracy(self) -> float:
        """Share of images whose most probable class is right, 0 to 1."""
        return self.correct / self.count if self.count else float("nan")

    @property
    def top5(self) -> float:
        """Share of images whose class is among the five most probable, 0 to 1."""
        return self.top5_correct / self.count if self.count else float("nan")


@dataclass(frozen=True, kw_only=True)
class Examples:
    """A handful of images with what the network says of them.

    Attributes:
        images: `(M, H, W, C)` uint8.
        labels: `(M,)` true classes.
        top: `(M, T)` classes, most probable first.
        probabilities: `(M, T)` their probabilities.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    top: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class EpochEnd:
    """An epoch is done and evaluated; `epoch` counts from 1, `elapsed_s` is training time since the run began."""

    epoch: int
    step: int
    lr: float
    train_loss: float
    train_accuracy: float
    train_top5: float
    validation: Evaluation | None
    best: bool
    seconds: float
    evaluation_s: float
    elapsed_s: float


@dataclass(frozen=True, kw_only=True)
class Finished:
    """Training is over; `reason` says why in words, `scored_epoch` whose weights the test split was scored with."""

    step: int
    epoch: int
    reason: str
    scored_epoch: int
    test: Evaluation | None


@dataclass(frozen=True, kw_only=True)
class Suggested:
    """A learning-rate test is over; `lr` is None where the loss never fell."""

    step: int
    lr: float | None


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A setting was changed while the run was on."""

    step: int
    setting: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Froze:
    """Stages were frozen or unfrozen after `step`: by the schedule, or by a person while the run was on.

    Attributes:
        stages: Those that changed, by name: whether they are frozen now.
        learning: All that learn now, the head included.
        num_trainable: Their parameters.
    """

    step: int
    stages: Mapping[str, bool]
    learning: tuple[str, ...]
    num_trainable: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the log: one step and phase with its values by name."""

    phase: str
    step: int
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    time: float = 0.0


Event = Preparing | Started | StepEnd | Evaluating | EpochEnd | Changed | Froze | Suggested | Finished

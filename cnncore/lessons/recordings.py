"""Recorded trainings: read from the file that comes with the lab.

`python -m benchmarks.lesson_curves` trains what `cnncore.lessons.curves` describes, with the lab's own loop on the
built-in digits, and writes `recorded/curves.json`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

COMMAND = "python -m benchmarks.lesson_curves"
RECORDED = Path(__file__).parent / "recorded" / "curves.json"


@dataclass(frozen=True, eq=False, kw_only=True)
class Recording:
    """One training as it went.

    Attributes:
        settings: What was trained, by dotted name, as text.
        num_train: Training images, with those that the recorder has added.
        step_epochs: Where in the training the loss of steps was read, in epochs, (S,).
        step_loss: Mean loss of the steps around it, (S,); infinite or NaN where it was no number.
        every: Steps that such a mean is of.
        train_loss: After every epoch, (E,): the mean over the epoch, while its weights changed.
        lr: Of the last step of every epoch, (E,).
        test_accuracy: Of the weights of `scored_epoch`, once at the end; NaN where training broke off.
        stopped: The sentence with which it broke off.
    """

    settings: Mapping[str, str]
    num_params: int
    num_train: int
    num_validation: int
    num_test: int
    every: int
    step_epochs: Floats
    step_loss: Floats
    train_loss: Floats
    train_accuracy: Floats
    val_loss: Floats
    val_accuracy: Floats
    lr: Floats
    test_accuracy: float
    scored_epoch: int
    stopped: str

    @property
    def num_epochs(self) -> int:
        """Epochs that were finished."""
        return len(self.train_loss)

    @property
    def lowest(self) -> int:
        """The epoch with the lowest validation loss, from 1."""
        return int(self.val_loss.argmin()) + 1

    @property
    def dropped(self) -> int:
        """The epoch after which the learning rate fell; 0 where it never did."""
        steps = np.flatnonzero(np.diff(self.lr) < 0)
        return int(steps[0]) + 1 if len(steps) else 0

    @property
    def highest_loss(self) -> float:
        """The highest loss of steps that was a number."""
        return float(self.step_loss[np.isfinite(self.step_loss)].max())

    def facts(self) -> dict[str, str]:
        """What words may name, written as people read it; nothing of epochs where none was finished."""
        found = {
            "num_params": f"{self.num_params:,}",
            "num_train": f"{self.num_train:,}",
            "num_epochs": str(self.num_epochs),
            "test_accuracy": _percent(self.test_accuracy),
            "highest_loss": _large(self.highest_loss),
            "lowest_step_loss": f"{np.nanmin(self.step_loss):.2f}",
        }
        if not self.num_epochs:
            return found
        at = self.lowest - 1
        return found | {
            "lowest": str(self.lowest),
            "lowest_loss": f"{self.val_loss[at]:.2f}",
            "val_loss": f"{self.val_loss[-1]:.2f}",
            "train_accuracy": _percent(self.train_accuracy[-1]),
            "val_accuracy": _percent(self.val_accuracy[-1]),
            "train_at_lowest": _percent(self.train_accuracy[at]),
            "val_at_lowest": _percent(self.val_accuracy[at]),
            "dropped": str(self.dropped),
        }


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _large(value: float) -> str:
    """A number that may have many digits, such as 3.2 or 1.2 × 10¹⁷."""
    if value < 10_000:
        return f"{value:.1f}"
    return scientific(value, 1)


def scientific(value: float, decimals: int) -> str:
    """A number such as 1.2 × 10¹⁷, with so many decimals."""
    mantissa, exponent = f"{value:.{decimals}e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_RAISED)}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What the file holds.

    Attributes:
        machine: Where it was recorded.
        seconds: Of processor time that took.
        recordings: By the keys of `cnncore.lessons.curves.CASES`.
    """

    machine: Mapping[str, Any]
    seconds: float
    recordings: Mapping[str, Recording] = field(repr=False)


@cache
def read_recorded(path: Path = RECORDED) -> Recorded:
    """The recordings that come with the lab."""
    content = json.loads(path.read_text(encoding="utf-8"))
    found = {key: _recording(facts) for key, facts in content["cases"].items()}
    return Recorded(machine=content["machine"], seconds=content["seconds"], recordings=found)


_ARRAYS = ("step_epochs", "step_loss", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr")


def _recording(facts: Mapping[str, Any]) -> Recording:
    arrays = {name: np.array(facts[name], np.float64) for name in _ARRAYS}
    test = facts["test_accuracy"]
    return Recording(**{**facts, **arrays, "test_accuracy": math.nan if test is None else test})

"""Recorded trainings of plain and residual stacks of several depths, made by `python -m benchmarks.lesson_depth`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FILE = Path(__file__).parent / "recorded" / "depth.json"


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedArm:
    """Trainings that differ in nothing but their seed, each array (seeds, epochs).

    Attributes:
        depth: Layers with weights.
        residual: Whether shortcuts go around every two convolutions.
        normalized: Whether batch normalization follows every convolution.
        activation: Its name.
        images: How many it was trained on.
        train: Share of the training images answered wrongly after each epoch, in percent.
        test: The same of images it has never seen.
        ratio: Norm of the gradient of the first convolution's weights, divided by that of the last one's; each the
            mean over the steps of an epoch.
    """

    depth: int
    residual: bool
    normalized: bool
    activation: str
    images: int
    train: Array
    test: Array
    ratio: Array


@dataclass(frozen=True, eq=False, kw_only=True)
class DepthRuns:
    """All of them.

    Attributes:
        arms: By name.
        command: That made them.
        made: On what, when, with how many seeds and images, in a sentence or two.
    """

    arms: Mapping[str, RecordedArm]
    command: str
    made: str


@cache
def depth_runs() -> DepthRuns:
    """What was recorded."""
    record = json.loads(FILE.read_text(encoding="utf-8"))
    arms = {name: _arm(arm, record["images"]["train"]) for name, arm in record["arms"].items()}
    images, settings, versions = record["images"], record["settings"], record["versions"]
    made = (
        f"Medians of {record['seeds']} seeds on the built-in digits ({images['train']:,} for training, "
        f"{images['test']:,} for testing), {settings['side']} × {settings['side']} pixels, {settings['channels']} "
        f"channels a layer; SGD, learning rate {settings['learning rate']} falling to 0, batches of "
        f"{settings['batch']}. Gradient: norm of that of the first convolution's weights, compared with the last "
        f"one's, median of all epochs. {record['device']}, PyTorch {versions['torch']}, {record['date']}."
    )
    return DepthRuns(arms=arms, command=record["command"], made=made)


def _arm(arm: Mapping[str, object], all_images: int) -> RecordedArm:
    runs = arm["runs"]
    assert isinstance(runs, list)
    curves = {name: np.array([run[name] for run in runs]) for name in ("train", "test", "first", "last")}
    return RecordedArm(
        depth=int(str(arm["depth"])),
        residual=bool(arm["residual"]),
        normalized=bool(arm["normalized"]),
        activation=str(arm["activation"]),
        images=int(str(arm["images"] or all_images)),
        train=curves["train"],
        test=curves["test"],
        ratio=curves["first"] / curves["last"],
    )

"""Degradation, vanishing gradients and over-fitting side by side, each with what was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cnncore.lessons.depth_runs import Array, RecordedArm, depth_runs
from cnncore.lessons.recordings import scientific

CaseName = Literal["vanishing", "degradation", "overfitting"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A problem of deep networks.

    Attributes:
        title: What it is called.
        signs: What one sees, by what one looks at.
        remedy: What helps.
        arms: What the recorded trainings are called in the drawing, by their names; the one that has the problem
            first.
        words: What the drawing shows.
        with_test: Whether the test error is drawn too.
    """

    title: str
    signs: Mapping[str, str]
    remedy: str
    arms: Mapping[str, str]
    words: str
    with_test: bool = False


CASES: dict[CaseName, Case] = {
    "vanishing": Case(
        title="Vanishing gradients",
        signs={
            "Training error": "does not fall",
            "Test error": "does not fall either",
            "Gradient at the first layer": "next to nothing",
        },
        remedy="Initial weights of the right size, ReLUs, normalization, shortcuts.",
        arms={"vanishing": "20 layers, sigmoids, not normalized", "plain20": "20 layers, ReLUs, normalized"},
        words="The first layers are told nothing, so they stay as they were drawn, and nothing above can use them.",
    ),
    "degradation": Case(
        title="Degradation",
        signs={
            "Training error": "falls, but stays above that of a shallower network",
            "Test error": "stays above it too",
            "Gradient at the first layer": "as large as at the last",
        },
        remedy="Shortcuts: then the deeper network is the better one.",
        arms={
            "plain32": "32 layers, plain",
            "plain20": "20 layers, plain",
            "plain8": "8 layers, plain",
            "residual32": "32 layers, with shortcuts",
            "residual20": "20 layers, with shortcuts",
            "residual8": "8 layers, with shortcuts",
        },
        words="The deeper plain network could copy the shallower one and do nothing in the layers that are left, but "
        "training does not find that. All of them have batch normalization. These are 6 epochs; He et al. saw the same "
        "on CIFAR-10 after 64,000 steps.",
    ),
    "overfitting": Case(
        title="Over-fitting",
        signs={
            "Training error": "near 0",
            "Test error": "far above it",
            "Gradient at the first layer": "as large as at the last",
        },
        remedy="More images, augmentation, weight decay, dropout, or to stop earlier.",
        arms={"overfitting": "8 layers with shortcuts, 100 images"},
        words="100 images are learned by heart; what was learned does not hold for others.",
        with_test=True,
    ),
}


def apart_data() -> dict[str, Any]:
    """What the board draws: a column a problem, and its recorded curves."""
    runs = depth_runs()
    return {
        "cases": [_column(key, case, runs.arms) for key, case in CASES.items()],
        "made": runs.made,
        "command": runs.command,
    }


def _column(key: str, case: Case, arms: Mapping[str, RecordedArm]) -> dict[str, Any]:
    first = arms[next(iter(case.arms))]
    measured = (_percent(first.train[:, -1]), _percent(first.test[:, -1]), _ratio(first.ratio))
    rows = [
        {"name": name, "sign": sign, "measured": found}
        for (name, sign), found in zip(case.signs.items(), measured, strict=True)
    ]
    return {
        "key": key,
        "title": case.title,
        "rows": rows,
        "remedy": case.remedy,
        "words": case.words,
        "subject": next(iter(case.arms.values())),
        "lines": [line for name, title in case.arms.items() for line in _lines(title, arms[name], case.with_test)],
    }


def _lines(title: str, arm: RecordedArm, with_test: bool) -> list[dict[str, Any]]:
    kinds = {"Training error": arm.train} | ({"Test error": arm.test} if with_test else {})
    return [
        {
            "name": kind if with_test else title,
            "residual": arm.residual,
            "depth": arm.depth,
            "values": np.median(values, axis=0).tolist(),
            "low": values.min(axis=0).tolist(),
            "high": values.max(axis=0).tolist(),
        }
        for kind, values in kinds.items()
    ]


def _percent(values: Array) -> str:
    return f"{np.median(values):.1f} % ({values.min():.1f} to {values.max():.1f})"


def _ratio(ratio: Array) -> str:
    """The median over epochs and seeds, in words."""
    median = float(np.median(ratio))
    if median >= 0.01:
        return f"{median:.1f} times that at the last"
    return f"{scientific(median, 0)} times that at the last"

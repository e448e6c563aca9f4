"""Records the trainings of the lesson on reading curves, with the lab's own loop on the built-in digits.

    python -m benchmarks.lesson_curves

What is trained stands in `cnncore/lessons/curves.py`; this writes `cnncore/lessons/recorded/curves.json`, which comes
with the lab: after every epoch what its charts show, and the loss of the steps between. One thread, fp32, on the CPU:
a bit over two minutes of work, and on the same machine with the same versions the same numbers again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import platform
import time
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cnncore.config import TrainConfig, differences, replace
from cnncore.data import ImageData, Images, open_images
from cnncore.errors import TrainingError
from cnncore.lessons.curves import BASE, CASES, NEAR_COPIES, WRONG_LABELS, Case
from cnncore.lessons.recordings import COMMAND, RECORDED
from cnncore.places import data_dir
from cnncore.runs.events import EpochEnd, Event, Finished, StepEnd
from cnncore.training.devices import cpu_name
from cnncore.training.loop import fit, make_loaders
from cnncore.training.state import new_state

WRONG_SHARE = 0.3
MOST_STEPS = 120
DIGITS = 4
CPU = torch.device("cpu")


def config_of(case: Case) -> TrainConfig:
    """What is trained."""
    return replace(TrainConfig(), {**BASE, **case.settings})


def settings_of(config: TrainConfig) -> dict[str, str]:
    """What differs from the defaults, as text."""
    return differences(config, TrainConfig())


def tampered(data: ImageData, how: str) -> ImageData:
    """The data with what is wrong with a case's training images; validation and test stay as they are."""
    assert isinstance(data.train, Images)
    if how == NEAR_COPIES:
        assert isinstance(data.validation, Images)
        copies = torch.roll(data.validation.pixels, 1, dims=2)
        pixels = torch.cat((data.train.pixels, copies))
        train = Images(pixels, torch.cat((data.train.labels, data.validation.labels)))
        return dataclasses.replace(data, train=train)
    if how == WRONG_LABELS:
        draw = np.random.RandomState(0)
        labels = data.train.labels.numpy().copy()
        wrong = draw.permutation(len(labels))[: round(WRONG_SHARE * len(labels))]
        labels[wrong] = (labels[wrong] + draw.randint(1, len(data.classes), len(wrong))) % len(data.classes)
        return dataclasses.replace(data, train=Images(data.train.pixels, torch.from_numpy(labels)))
    return data


def record(case: Case, data_root: Path) -> dict[str, Any]:
    """Train a case; returns what the file keeps of it."""
    config = config_of(case)
    data = tampered(open_images(config.data, data_root), case.tampered)
    state = new_state(config, data.in_shape, len(data.classes), device=CPU, precision="fp32")
    loaders = make_loaders(data, config, state)
    steps: list[StepEnd] = []
    epochs: list[EpochEnd] = []
    facts: dict[str, Any] = {"test_accuracy": None, "scored_epoch": 0, "stopped": ""}
    try:
        _follow(fit(state, loaders), steps, epochs, facts)
    except TrainingError as problem:
        facts["stopped"] = problem.message
    assert data.validation is not None
    assert data.test is not None
    return {
        "settings": settings_of(config),
        "num_params": sum(weight.numel() for weight in state.model.parameters()),
        "num_train": len(data.train),
        "num_validation": len(data.validation),
        "num_test": len(data.test),
        **_thinned(steps),
        **_by_epoch(epochs),
        **facts,
    }


def _follow(events: Iterable[Event], steps: list[StepEnd], epochs: list[EpochEnd], facts: dict[str, Any]) -> None:
    for event in events:
        if isinstance(event, StepEnd):
            steps.append(event)
        elif isinstance(event, EpochEnd):
            epochs.append(event)
        elif isinstance(event, Finished):
            assert event.test is not None
            facts.update(test_accuracy=_short(event.test.accuracy), scored_epoch=event.scored_epoch)


def _thinned(steps: list[StepEnd]) -> dict[str, Any]:
    """Means of as many steps as leave at most MOST_STEPS points; after the first that is no number there are none."""
    losses = np.array([float(step.loss) for step in steps])
    bad = np.flatnonzero(~np.isfinite(losses))
    losses = losses[: bad[0] + 1] if len(bad) else losses
    every = math.ceil(len(losses) / MOST_STEPS)
    starts = range(0, len(losses), every)
    middles = [
        float(np.mean([step.epoch for step in steps[start : min(start + every, len(losses))]])) for start in starts
    ]
    means = [float(losses[start : start + every].mean()) for start in starts]
    return {"every": every, "step_epochs": [_short(at) for at in middles], "step_loss": [_short(at) for at in means]}


def _by_epoch(epochs: list[EpochEnd]) -> dict[str, list[float | None]]:
    rows: list[Mapping[str, float]] = [
        {
            "train_loss": end.train_loss,
            "train_accuracy": end.train_accuracy,
            "val_loss": end.validation.loss,
            "val_accuracy": end.validation.accuracy,
            "lr": end.lr,
        }
        for end in epochs
        if end.validation is not None
    ]
    names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr")
    return {name: [_short(row[name]) for row in rows] for name in names}


def _short(value: float) -> float | None:
    """With few digits; None for what is no number, which JSON does not have."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def main() -> None:
    command_line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_argument("--data", type=Path, default=data_dir(), help="folder of the data sets (CNNLAB_DATA)")
    command_line.add_argument("--out", type=Path, default=RECORDED, help="file to write")
    arguments = command_line.parse_args()
    torch.set_num_threads(1)
    begin = time.process_time()
    cases: dict[str, Any] = {}
    for key, case in CASES.items():
        cases[key] = record(case, arguments.data)
        print(f"{key} {case.answer}: {time.process_time() - begin:.0f} s of work", flush=True)
    versions = {"Python": platform.python_version()} | {name: metadata.version(name) for name in ("torch", "numpy")}
    facts = {
        "command": COMMAND,
        "machine": {"device": cpu_name(), "threads": 1, "precision": "fp32", "seed": 0, "versions": versions},
        "seconds": round(time.process_time() - begin),
        "cases": cases,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(facts, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{arguments.out}: {arguments.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

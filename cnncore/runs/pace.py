"""How long a training will take, from what this machine has already done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cnncore.config import TrainConfig
from cnncore.runs.store import Run

_SAME_WORK = (
    ("model",),
    ("augment",),
    ("data", "dataset"),
    ("data", "path"),
    ("data", "image_size"),
    ("training", "compile"),
    ("training", "ema"),
    ("transfer", "frozen"),
)
"""Settings that must be equal for an image to cost the same; the batch size only decides between several runs."""
_MACHINE = ("device", "precision")
"""Settings of the training that must come to the same: `auto` is what a run with `auto` got on this machine."""


def expected_seconds(config: TrainConfig, num_train: int, past: Iterable[Run], host: str) -> float | None:
    """Seconds from the first step to the test accuracy, as the most similar finished run of this machine took them.

    Where the network is compiled that time is included, as that run took it.

    Args:
        config: What is to be trained.
        num_train: Training images it will have.
        past: Runs, newest first.
        host: Name of this machine, as in `Run.host`.

    Returns:
        None where nothing comparable has run here.
    """
    wanted = config.model_dump(mode="json")
    here = [run for run in past if run.host == host and run.status == "finished"]
    machine = {name: _meant(name, wanted["training"][name], here) for name in _MACHINE}
    similar = [
        (run, pace)
        for run in here
        if _same(run.config, wanted) and _same_machine(run, wanted["training"], machine) and (pace := _pace(run))
    ]
    if not similar:
        return None
    batch = wanted["training"]["batch_size"]
    run, pace = min(similar, key=lambda pair: abs(_value(pair[0].config, ("training", "batch_size")) - batch))
    return pace * config.training.epochs * num_train + (run.summary.get("compile_s") or 0.0)


def _value(config: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for name in path:
        config = config.get(name, {})
    return config


def _same(config: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    # A run of an older version of the lab has no settings of transfer learning; it trained everything.
    return all((_value(config, path) or None) == (_value(wanted, path) or None) for path in _SAME_WORK)


def _meant(name: str, setting: str, here: Iterable[Run]) -> str | None:
    """What a setting comes to here: `auto` is what the newest run with it got, if there is one."""
    if setting != "auto":
        return setting
    return next((run.summary.get(name) for run in here if _value(run.config, ("training", name)) == setting), None)


def _same_machine(run: Run, wanted: Mapping[str, Any], machine: Mapping[str, str | None]) -> bool:
    """Whether a run had the device and the number format that a new one would get."""
    return all(
        _value(run.config, ("training", name)) == wanted[name] or (meant and run.summary.get(name) == meant)
        for name, meant in machine.items()
    )


def _pace(run: Run) -> float | None:
    """Seconds a training image took in one epoch, evaluation after each epoch included."""
    facts = run.summary
    images = (facts.get("epoch") or 0) * (facts.get("num_train") or 0)
    seconds = facts.get("elapsed_s")
    return seconds / images if images and seconds else None

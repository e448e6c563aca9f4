"""Real training processes of transfer learning, killed and resumed to the same weights bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnncore.config import TrainConfig, replace
from cnncore.runs.runner import Runner
from cnncore.runs.store import Run, RunStore
from tests.test_worker import caught, enqueue, follow, kill, over, reached, runner, same_weights

__all__ = ["runner"]

pytestmark = pytest.mark.slow

STEPS = 20
RECIPES: dict[str, dict[str, Any]] = {
    "kept features, bf16": {
        "training.epochs": 60,
        "training.ema": 0.9,
        "training.precision": "bf16",
        "augment.crop_padding": 2,
        "transfer.views": 2,
        "transfer.head": "hidden",
        "transfer.hidden_units": 16,
        "transfer.head_dropout": 0.3,
    },
    "unfrozen midway": {"training.epochs": 30, "training.ema": 0.9, "transfer.stage_lr": (0.1, 0.3)},
}


@pytest.fixture
def transfer(tiny: TrainConfig) -> TrainConfig:
    """A quarter of ResNet-20 with a new head on 1,000 digits, everything else frozen."""
    settings = {
        "data.train_images": 1_000,
        "model.name": "resnet20",
        "model.width": 0.25,
        "optimizer.name": "momentum",
        "transfer.head": "linear",
        "transfer.frozen": ("all",),
    }
    return replace(tiny, settings)


@pytest.mark.parametrize("recipe", RECIPES)
def test_killed_and_resumed_it_ends_like_one_never_stopped(
    recipe: str, runner: Runner, store: RunStore, artifacts: Path, transfer: TrainConfig
) -> None:
    config = replace(transfer, RECIPES[recipe])

    def midway(run: Run) -> Run:
        run = follow(runner, run, reached(1))
        if recipe == "unfrozen midway":
            store.ask_change(run.id, "transfer.frozen.stage3", 0.0)
            run = follow(runner, run, lambda run: over(run) or "stage3" in run.summary.get("learning", ()))
        return follow(runner, run, reached(run.summary.get("step", 0) + STEPS))

    killed = caught(runner, config, midway)
    kill(killed)
    killed = follow(runner, killed, over)
    assert killed.status == "interrupted"
    store.requeue(killed.id)
    killed = follow(runner, killed, over)

    whole = enqueue(store, config)
    for change in store.changes(killed.id):
        store.ask_change(whole.id, change.setting, change.value)
        assert change.step is not None
        store.set_change_step(store.changes(whole.id)[-1].id, change.step)
    whole = follow(runner, whole, over)

    assert (killed.status, whole.status) == ("finished", "finished"), killed.error or whole.error
    assert (killed.attempt, whole.attempt) == (2, 1)
    assert same_weights(artifacts, whole, killed)
    for name in ("test_correct", "test_loss", "best_epoch", "best_val_loss", "num_trainable", "learning"):
        assert killed.summary.get(name) == whole.summary.get(name), name
    logs = [
        {(row.phase, row.step): row.values for row in store.since(run.id).rows if row.phase in ("step", "freeze")}
        for run in (killed, whole)
    ]
    assert logs[0] == logs[1]

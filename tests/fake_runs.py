"""Runs that never trained, for tests and benchmarks of what watches them: plausible rows, summaries and files."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cnncore.config import TrainConfig, replace
from cnncore.runs.artifacts import TEST, epoch_file, run_dir, save_evaluation
from cnncore.runs.events import Evaluation, Examples, Row
from cnncore.runs.store import Run, RunStore

CLASSES = [str(digit) for digit in range(10)]
LAYERS = ("conv1", "conv2", "fc1", "fc2")
BEGIN = 1_700_000_000.0
STEP_S = 0.02


def fake_config(epochs: int = 8) -> TrainConfig:
    return replace(TrainConfig(), {"training.epochs": epochs})


def step_loss(step: int, steps: int) -> float:
    """Falls from 2.3, with noise that depends on nothing but the step."""
    noise = (step * 7919 % 1000) / 1000 - 0.5
    return 0.05 + 2.25 * float(np.exp(-6 * step / steps)) * (1 + 0.3 * noise)


def step_rows(first: int, last: int, *, steps: int, epochs: int, begin: float = BEGIN) -> Iterator[Row]:
    """Rows of the steps `first` to `last`, with the layers' gradients every tenth and the hardware every fiftieth."""
    for step in range(first, last + 1):
        at = begin + step * STEP_S
        values = {"loss": step_loss(step, steps), "lr": 3e-3 * (1 - step / steps / 2), "epoch": step * epochs / steps}
        norm = 0.5 + 0.4 * np.sin(step / 15)
        yield Row(phase="step", step=step, time=at, values=values | {"grad_norm": float(norm)})
        if step % 10 == 0:
            norms = {name: float(norm * 10 ** (index - len(LAYERS))) for index, name in enumerate(LAYERS)}
            yield Row(phase="layers", step=step, time=at, values=norms)
        if step % 50 == 0:
            hardware = {"rss_mib": 700 + 50 * float(norm), "cpu_percent": 180.0, "rate": 3200 + 200 * float(norm)}
            yield Row(phase="hardware", step=step, time=at, values=hardware)
        if step % (steps // epochs) == 0:
            yield epoch_row(step * epochs // steps, step, epochs, at)


def search_rows(upto: int) -> Iterator[Row]:
    """The first rows of a search for a learning rate; the loss falls fastest near 1e-3, the last five explode."""
    for step in range(1, upto + 1):
        lr = 1e-6 * 10 ** (7 * (step - 1) / 119)
        loss = 0.3 + 2.0 / (1 + (lr / 1e-3) ** 1.5) + lr + (0 if step <= 115 else 10.0 ** (step - 114))
        yield Row(phase="step", step=step, time=BEGIN + step * STEP_S, values={"loss": loss, "lr": lr, "epoch": 0.0})


def epoch_row(epoch: int, step: int, epochs: int, at: float) -> Row:
    accuracy = 0.98 - 0.5 * float(np.exp(-4 * epoch / epochs))
    values = {
        "epoch": epoch,
        "train_loss": 2.3 * float(np.exp(-4 * epoch / epochs)),
        "train_accuracy": accuracy + 0.01,
        "train_top5": 0.999,
        "val_loss": 0.1 + 2.1 * float(np.exp(-4 * epoch / epochs)),
        "val_accuracy": accuracy,
        "val_top5": 0.998,
        "per_class": [accuracy - 0.01 * index for index in range(10)],
        "lr": 1e-3,
        "best": True,
        "seconds": 1.0,
    }
    return Row(phase="epoch", step=step, time=at, values=values)


def evaluation(split: str, *, classes: int = 10, count: int = 500, right: float = 0.94, seed: int = 0) -> Evaluation:
    """An evaluation with mistakes between neighboring classes, and eight examples of which three are wrong."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    wrong = random.random(count) > right
    predicted = np.where(wrong, (labels + random.integers(1, 4, count)) % classes, labels)
    confusion = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    correct = int(confusion.trace())
    images = np.zeros((8, 28, 28, 1), dtype=np.uint8)
    for index in range(8):
        images[index, 4 + index : 24, 6 + index : 10 + index] = 220
    shown = np.arange(8) % classes
    top = (shown[:, None] + np.arange(3)) % classes
    top[5:] = np.roll(top[5:], 1, axis=1)
    return Evaluation(
        split=split,
        loss=0.2,
        correct=correct,
        top5_correct=min(count, correct + 5),
        count=count,
        confusion=confusion,
        examples=Examples(
            images=images,
            labels=shown.astype(np.int64),
            top=top.astype(np.int64),
            probabilities=np.tile(np.array([0.8, 0.15, 0.05], dtype=np.float32), (8, 1)),
        ),
    )


def summary(step: int, *, steps: int, epochs: int) -> dict[str, Any]:
    done = step * epochs // steps
    facts: dict[str, Any] = {
        "stage": "training",
        "stage_text": "",
        "epoch": min(epochs, done + 1),
        "epochs": epochs,
        "step": step,
        "total_steps": steps,
        "rate": 3_210.0,
        "eta_s": (steps - step) * STEP_S,
        "train_loss": step_loss(step, steps),
        "device": "cpu",
        "precision": "bf16",
        "threads": 2,
        "num_params": 431_080,
        "num_train": 3_500,
        "num_validation": 500,
        "num_test": 1_000,
        "classes": CLASSES,
        "split_note": "These digits come from MNIST's training images.",
        "spark_loss": [step_loss(max(1, step * part // 20), steps) for part in range(1, 21)],
    }
    if done:
        row = epoch_row(done, step, epochs, 0.0).values
        accuracies = [epoch_row(epoch, 0, epochs, 0.0).values["val_accuracy"] for epoch in range(1, done + 1)]
        facts |= {name: row[name] for name in ("train_accuracy", "val_loss", "val_accuracy")}
        facts |= {"best_epoch": done, "best_val_accuracy": row["val_accuracy"], "spark_accuracy": accuracies}
    return facts


def open_run(
    store: RunStore, root: Path, *, steps: int = 400, upto: int | None = None, epochs: int = 8, name: str = "Fake run"
) -> Run:
    """A run that is on and has done `upto` of its `steps`."""
    upto = steps if upto is None else upto
    run = store.create(fake_config(epochs).model_dump(mode="json"), name=name)
    store.claim(run.id, "somewhere")
    store.begin_attempt(run.id, 0)
    store.set_running(run.id)
    store.log(run.id, list(step_rows(1, upto, steps=steps, epochs=epochs)), summary(upto, steps=steps, epochs=epochs))
    for epoch in range(1, upto * epochs // steps + 1):
        path = run_dir(root, run.id) / epoch_file(epoch)
        store.add_artifact(run.id, epoch_file(epoch), save_evaluation(path, evaluation("validation", seed=epoch)))
    return store.get(run.id)


def finish(store: RunStore, root: Path, run: Run) -> Run:
    """End an open run the way a worker does, scored on the test images."""
    test = evaluation("test", count=1_000, right=0.972)
    folder = run_dir(root, run.id)
    store.add_artifact(run.id, TEST, save_evaluation(folder / TEST, test))
    for name in ("model.safetensors", "model.json"):
        (folder / name).write_bytes(b"{}")
        store.add_artifact(run.id, name, 2)
    scored = {
        "stage": "done",
        "test_accuracy": test.accuracy,
        "test_top5": test.top5,
        "test_loss": test.loss,
        "test_correct": test.correct,
        "test_count": test.count,
        "test_scored": 1,
        "scored_epoch": run.summary.get("best_epoch", 1),
        "reason": "all epochs done",
        "eta_s": 0.0,
    }
    store.log(run.id, [], {**run.summary, **scored})
    store.end(run.id, "finished")
    return store.get(run.id)


def log_slowly(
    store: RunStore, root: Path, run: Run, *, steps: int, epochs: int, over: threading.Event | None = None
) -> None:
    """Go on with an open run in real time until `over` is set or all steps are done."""
    over = over or threading.Event()
    done = int(run.summary["step"])
    begin = time.time() - done * STEP_S
    while done < steps and not over.wait(0.3):
        now = min(steps, int((time.time() - begin) / STEP_S))
        rows = list(step_rows(done + 1, now, steps=steps, epochs=epochs, begin=begin))
        for row in rows:
            if row.phase == "epoch":
                epoch = row.values["epoch"]
                save_evaluation(run_dir(root, run.id) / epoch_file(epoch), evaluation("validation", seed=epoch))
        store.log(run.id, rows, summary(now, steps=steps, epochs=epochs))
        done = now

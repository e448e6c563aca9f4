"""The learning curves of many runs: thinned in the database, on every axis on which they can be laid over each other."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from cnncore.runs.run import Run
from cnncore.runs.store import RunStore
from cnncore.runs.tables import metrics

Floats = npt.NDArray[np.float64]
XAxis = Literal["step", "epoch", "images", "time"]
X_AXES: tuple[XAxis, ...] = ("step", "epoch", "images", "time")
MAX_STEPS = 400
"""Steps of a run that are read at most; each of ten runs with 10,000 would take a second to read whole."""
EPOCH_VALUES = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")


@dataclass(frozen=True, kw_only=True)
class Points:
    """Points of one run, all arrays `(N,)`.

    Attributes:
        x: Place on each axis: step, time in epochs, training images seen, seconds of training (pauses left out).
        values: The numbers by name; NaN where one was not logged.
    """

    x: Mapping[XAxis, Floats]
    values: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.x["step"])


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What one run has logged: after every epoch EPOCH_VALUES, of some steps the loss; every how many, `every` says."""

    epochs: Points
    steps: Points
    every: int


def read_curves(store: RunStore, run: Run, max_steps: int = MAX_STEPS) -> Curves:
    """The curves of a run with at most about so many of its steps."""
    epoch_rows = _rows(store, run.id, "epoch", 1)
    every = _every(store, run.id, max_steps)
    step_rows = _rows(store, run.id, "step", every)
    images = float(run.summary.get("num_train") or np.nan)
    epochs = _column(epoch_rows, "epoch")
    seconds = _epoch_seconds(epoch_rows)
    return Curves(
        epochs=_points(epoch_rows, epochs, seconds, images, EPOCH_VALUES),
        steps=_points(
            step_rows, _column(step_rows, "epoch"), _step_seconds(step_rows, epoch_rows, seconds), images, ("loss",)
        ),
        every=every,
    )


def curves_csv(curves: Mapping[str, tuple[Run, Curves]]) -> bytes:
    """Curves of several runs as one CSV table, by run id; losses of single steps are thinned as they were read."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    names = (*EPOCH_VALUES, "loss")
    writer.writerow(["run", "name", "seed", "point", "step", "epoch", "images_seen", "seconds", *names])
    for run_id, (run, found) in curves.items():
        seed = (run.config.get("training") or {}).get("seed")
        for kind, points in (("epoch", found.epochs), ("step", found.steps)):
            columns = [*(points.x[axis] for axis in X_AXES), *(_value(points, name) for name in names)]
            for row in zip(*columns, strict=True):
                told = ["" if np.isnan(value) else f"{value:.10g}" for value in row]
                writer.writerow([run_id, run.name, seed, kind, *told])
    return text.getvalue().encode()


def _value(points: Points, name: str) -> Floats:
    return points.values.get(name, np.full(len(points), np.nan))


_Rows = Sequence[tuple[int, float, Mapping[str, Any]]]


def _every(store: RunStore, run_id: str, limit: int) -> int:
    """A power of two, so that a growing run keeps the points it has shown until they are halved."""
    query = select(func.max(metrics.c.step)).where(metrics.c.run_id == run_id, metrics.c.phase == "step")
    with store.engine.connect() as db:
        last = db.execute(query).scalar() or 0
    every = 1
    while last / every > limit:
        every *= 2
    return every


def _rows(store: RunStore, run_id: str, phase: str, every: int) -> _Rows:
    """Step, time and values of every so manieth step, in order; the index on run, phase and step finds them."""
    query = select(metrics.c.step, metrics.c.time, metrics.c["values"])
    query = query.where(metrics.c.run_id == run_id, metrics.c.phase == phase)
    if every > 1:
        query = query.where(metrics.c.step % every == 0)
    with store.engine.connect() as db:
        found = db.execute(query.order_by(metrics.c.step)).all()
    values = json.loads(f"[{','.join(row[-1] for row in found)}]")
    return [(step, at, value) for (step, at, _), value in zip(found, values, strict=True)]


def _column(rows: _Rows, name: str) -> Floats:
    return np.array([values.get(name) for *_, values in rows], dtype=np.float64)


def _points(rows: _Rows, epochs: Floats, seconds: Floats, images: float, names: Sequence[str]) -> Points:
    steps = np.array([step for step, *_ in rows], dtype=np.float64)
    x: dict[XAxis, Floats] = {"step": steps, "epoch": epochs, "images": epochs * images, "time": seconds}
    return Points(x=x, values={name: _column(rows, name) for name in names})


def _epoch_seconds(rows: _Rows) -> Floats:
    """Training time at the end of each epoch; older runs only noted how long each one took."""
    elapsed = _column(rows, "elapsed_s")
    return np.where(np.isnan(elapsed), np.cumsum(_column(rows, "seconds")), elapsed)


def _step_seconds(steps: _Rows, epochs: _Rows, seconds: Floats) -> Floats:
    """Training time of each step: between the ends of epochs in proportion, after the last one by the clock."""
    times = np.array([at for _, at, _ in steps], dtype=np.float64)
    if not len(steps):
        return times
    if not len(epochs):
        return times - times[0]
    ends = _column(epochs, "epoch")
    within = np.interp(_column(steps, "epoch"), [0.0, *ends], [0.0, *seconds])
    last_time = epochs[-1][1]
    later = np.array([step for step, *_ in steps]) > epochs[-1][0]
    return np.where(later, seconds[-1] + times - last_time, within)

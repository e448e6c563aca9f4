"""Curves of many runs: few rows are read, and every axis means what it says."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from cnncore.runs.curves import curves_csv, read_curves
from cnncore.runs.events import Row
from cnncore.runs.store import RunStore
from tests import fake_runs


def test_steps_are_thinned_and_epochs_are_not(store: RunStore, artifacts: Path) -> None:
    run = fake_runs.open_run(store, artifacts, steps=3_200, epochs=8)
    curves = read_curves(store, run, max_steps=100)
    assert curves.every == 32
    assert curves.steps.x["step"].tolist() == list(range(32, 3_201, 32))
    assert curves.steps.values["loss"][0] == pytest.approx(fake_runs.step_loss(32, 3_200))
    assert len(curves.epochs) == 8
    assert read_curves(store, run, max_steps=3_200).every == 1


def test_every_axis_means_what_it_says(store: RunStore, artifacts: Path) -> None:
    run = fake_runs.open_run(store, artifacts, steps=400, epochs=4)
    x = read_curves(store, run).epochs.x
    assert x["step"].tolist() == [100, 200, 300, 400]
    assert x["epoch"].tolist() == [1, 2, 3, 4]
    assert x["images"].tolist() == [3_500, 7_000, 10_500, 14_000]
    assert x["time"].tolist() == [1, 2, 3, 4], "an older run only knows how long each epoch took"


def test_time_is_training_time(store: RunStore) -> None:
    """A pause of a day between two epochs is not training; after the last epoch the clock decides."""
    run = store.create({}, name="a")
    day = 86_400.0
    rows = [
        Row(phase="step", step=1, time=1.0, values={"loss": 1.0, "epoch": 0.5}),
        Row(phase="step", step=2, time=2.0, values={"loss": 1.0, "epoch": 1.0}),
        Row(phase="epoch", step=2, time=3.0, values={"epoch": 1, "elapsed_s": 2.5}),
        Row(phase="step", step=3, time=day + 1.0, values={"loss": 1.0, "epoch": 1.5}),
        Row(phase="step", step=4, time=day + 2.0, values={"loss": 1.0, "epoch": 2.0}),
        Row(phase="epoch", step=4, time=day + 3.0, values={"epoch": 2, "elapsed_s": 4.5}),
        Row(phase="step", step=5, time=day + 4.0, values={"loss": 1.0, "epoch": 2.5}),
    ]
    store.log(run.id, rows)
    curves = read_curves(store, run)
    assert curves.epochs.x["time"].tolist() == [2.5, 4.5]
    assert curves.steps.x["time"].tolist() == [1.25, 2.5, 3.5, 4.5, 5.5]


def test_a_run_that_has_logged_nothing(store: RunStore) -> None:
    curves = read_curves(store, store.create({}, name="a"))
    assert (len(curves.epochs), len(curves.steps), curves.every) == (0, 0, 1)


def test_curves_as_csv(store: RunStore, artifacts: Path) -> None:
    run = fake_runs.open_run(store, artifacts, steps=40, epochs=4, name="A, run")
    rows = list(csv.DictReader(io.StringIO(curves_csv({run.id: (run, read_curves(store, run))}).decode())))
    epochs = [row for row in rows if row["point"] == "epoch"]
    assert len(epochs) == 4
    assert len(rows) == 44
    assert epochs[-1]["name"] == "A, run"
    assert float(epochs[-1]["images_seen"]) == 14_000
    assert float(epochs[-1]["val_accuracy"]) == pytest.approx(run.summary["val_accuracy"])
    assert (rows[-1]["loss"], rows[-1]["val_loss"]) == (f"{fake_runs.step_loss(40, 40):.10g}", "")


def test_values_that_are_not_numbers_leave_gaps(store: RunStore) -> None:
    run = store.create({}, name="a")
    values = {"epoch": 1, "seconds": 1.0, "train_loss": float("nan"), "val_loss": None}
    store.log(run.id, [Row(phase="epoch", step=1, values=values)])
    assert np.isnan(read_curves(store, run).epochs.values["train_loss"]).all()

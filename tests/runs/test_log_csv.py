"""The log as CSV has every row and every value."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from cnncore.config import TrainConfig
from cnncore.errors import RunError
from cnncore.runs.events import Row
from cnncore.runs.log_csv import csv_zip, log_csv
from cnncore.runs.store import RunStore
from tests import fake_runs


def test_every_row_and_value_is_there(store: RunStore, artifacts: Path):
    run = fake_runs.open_run(store, artifacts, steps=80)
    store.log(run.id, [Row(phase="step", step=81, values={"loss": float("nan")})])
    rows = list(csv.DictReader(io.StringIO(log_csv(store, run.id).decode())))
    assert len(rows) == len(store.since(run.id).rows)
    epochs = [row for row in rows if row["phase"] == "epoch"]
    assert len(epochs) == 8
    assert len(json.loads(epochs[0]["per_class"])) == 10
    layers = next(row for row in rows if row["phase"] == "layers")
    assert float(layers["gradient:conv1"]) > 0
    assert layers["loss"] == ""
    assert rows[-1]["loss"] == "nan"


def test_an_empty_log_has_a_header(store: RunStore):
    run = store.create({}, name="Run")
    assert log_csv(store, run.id).decode().splitlines() == ["phase,step,time"]


def tables(content: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: list(csv.DictReader(io.StringIO(archive.read(name).decode()))) for name in archive.namelist()}


def test_several_runs_are_three_tables(store: RunStore, artifacts: Path):
    finished = fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, steps=80))
    running = fake_runs.open_run(store, artifacts, steps=80, upto=40, name="Second")
    found = tables(csv_zip(store, [finished.id, running.id]))
    assert list(found) == ["runs.csv", "epochs.csv", "steps.csv"]
    first, second = found["runs.csv"]
    assert (first["run"], first["status"], first["model.name"]) == (finished.id, "finished", "lenet_tutorial")
    assert float(first["test_accuracy"]) == finished.summary["test_accuracy"]
    assert (second["test_accuracy"], second["ended"], second["model.dropout"]) == ("", "", "none")
    assert [row["run"] for row in found["epochs.csv"]] == [finished.id] * 8 + [running.id] * 4
    assert len(found["steps.csv"]) == 120
    assert float(found["steps.csv"][0]["loss"]) == fake_runs.step_loss(1, 80)
    with pytest.raises(RunError):
        csv_zip(store, ["0" * 12])


@pytest.mark.parametrize("name", ['=HYPERLINK("x")', "+1+1", "-2+3", "@SUM(A1)"])
def test_no_text_becomes_a_formula(store: RunStore, name: str):
    run = store.create(TrainConfig().model_dump(mode="json"), name=name, tags=(name,))
    store.log(run.id, [Row(phase="step", step=1, values={"loss": -0.5, "=1+1": 2})])
    found = tables(csv_zip(store, [run.id]))
    (row,) = found["runs.csv"]
    assert (row["name"], row["tags"]) == (f"'{name}", f"'{name}")
    (step,) = found["steps.csv"]
    assert (step["name"], step["loss"], step["'=1+1"]) == (f"'{name}", "-0.5", "2")


def test_a_run_of_another_time_keeps_the_settings_that_are_known(store: RunStore):
    run = store.create({"model": {"name": "lenet5", "gone": 1}, "optimizer": {}, "older": 1}, name="Old")
    (row,) = tables(csv_zip(store, [run.id]))["runs.csv"]
    assert row["model.name"] == "lenet5"
    assert "model.gone" not in row

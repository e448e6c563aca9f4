"""The log as CSV has every row and every value."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from cnncore.runs.events import Row
from cnncore.runs.log_csv import log_csv
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

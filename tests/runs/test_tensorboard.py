"""TensorBoard reads back what the store holds: every value at its step and time, once, NaN included."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData  # pyright: ignore[reportAttributeAccessIssue]

from cnncore.errors import RunError
from cnncore.runs.events import Row
from cnncore.runs.store import Run, RunStore
from cnncore.runs.tensorboard import TAGS, EventMirror, scalars, tensorboard_zip, write_tensorboard
from tests import fake_runs

ALL_EVENTS = {"scalars": 0, "tensors": 0}


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance=ALL_EVENTS)
    events.Reload()
    return events


def curve(events: EventAccumulator, tag: str) -> list[tuple[int, float, float]]:
    return [(event.step, event.wall_time, event.value) for event in events.Scalars(tag)]


def assert_same(events: EventAccumulator, store: RunStore, run: Run) -> None:
    """Everything the store has logged is there, in order, and nothing else but the results."""
    expected: dict[str, list[tuple[int, float, float]]] = {}
    for row in store.since(run.id).rows:
        for tag, value in scalars(row):
            expected.setdefault(tag, []).append((row.step, row.time, float(np.float32(value))))
    assert set(events.Tags()["scalars"]) >= set(expected)
    for tag, points in expected.items():
        np.testing.assert_array_equal(curve(events, tag), points)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def run(store: RunStore, artifacts: Path) -> Run:
    run = fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, steps=80, name="../=Ünsafe <name>"))
    lost = {"loss": math.nan, "grad_norm": math.inf, "lr": 1e-3}
    store.log(run.id, [Row(phase="step", step=81, values=lost, time=fake_runs.BEGIN + 5)])
    return store.get(run.id)


def test_the_files_hold_the_log(store: RunStore, run: Run, out: Path):
    write_tensorboard(store, [run.id], out)
    write_tensorboard(store, [run.id], out)  # into the same folder: nothing is there twice
    (folder,) = out.iterdir()
    assert folder.name == f"Ünsafe_name-{run.id}"
    events = read(folder)
    assert_same(events, store, run)
    assert math.isnan(curve(events, "loss/step")[-1][2])
    assert math.isinf(curve(events, "gradient_norm/all")[-1][2])
    assert len(events.Scalars("gradient_norm/conv1")) == 8
    assert [round(value, 3) for _, _, value in curve(events, "accuracy/test")] == [
        round(run.summary["test_accuracy"], 3)
    ]


def test_the_settings_are_hyperparameters(store: RunStore, run: Run, out: Path):
    write_tensorboard(store, [run.id], out)
    events = read(next(out.iterdir()))
    content = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    found = HParamsPluginData.FromString(content).session_start_info
    assert found.hparams["optimizer.lr"].number_value == 1e-3
    assert found.hparams["model.name"].string_value == "lenet_tutorial"
    assert found.hparams["training.compile"].bool_value is False
    assert found.hparams["model.dropout"].string_value == "none"
    assert found.start_time_secs == run.started


def test_several_runs_in_one_archive(store: RunStore, artifacts: Path, out: Path):
    runs = [fake_runs.open_run(store, artifacts, steps=40, upto=20, name="Same name") for _ in range(2)]
    with zipfile.ZipFile(io.BytesIO(tensorboard_zip(store, [run.id for run in runs]))) as archive:
        archive.extractall(out)
    assert len(list(out.iterdir())) == 2
    for run in runs:
        (folder,) = out.glob(f"*{run.id}")
        assert_same(read(folder), store, run)
    with pytest.raises(RunError):
        tensorboard_zip(store, ["0" * 12])


def test_a_run_of_another_time_is_exported_without_its_settings(store: RunStore, out: Path):
    run = store.create({"unknown": 1}, name="Old")
    write_tensorboard(store, [run.id], out)
    assert read(next(out.iterdir())).Tags()["scalars"] == []


def test_the_mirror_follows_the_log_and_starts_anew_after_a_resume(store: RunStore, artifacts: Path, out: Path):
    run = fake_runs.open_run(store, artifacts, steps=400, upto=100)
    first = EventMirror(store, run, out)
    more = list(fake_runs.step_rows(101, 180, steps=400, epochs=8))
    store.log(run.id, more)
    first.add(more)
    watching = read(out)
    assert_same(watching, store, run)
    store.begin_attempt(run.id, 150)
    second = EventMirror(store, run, out)
    again = list(fake_runs.step_rows(151, 400, steps=400, epochs=8, begin=fake_runs.BEGIN + 60))
    store.log(run.id, again)
    second.add(again)
    assert_same(read(out), store, run)
    steps = [step for step, *_ in curve(read(out), "loss/step")]
    assert steps == list(range(1, 401))
    second.finish({"test_accuracy": 0.5, "step": 400})
    assert curve(read(out), "accuracy/test")[0][::2] == (400, 0.5)
    # Whoever watched the first file forgets it when the second one appears.
    watching.Reload()
    assert [step for step, *_ in curve(watching, "loss/step")] == list(range(1, 401))


def test_what_is_no_number_is_left_out():
    row = Row(phase="epoch", step=1, values={"val_loss": None, "per_class": [1.0], "best": True, "train_loss": 2})
    assert list(scalars(row)) == [("loss/train", 2.0)]
    assert list(scalars(Row(phase="change", step=1, values={"setting": "optimizer.lr", "value": 0.1}))) == [
        ("change/optimizer.lr", 0.1)
    ]
    assert len({tag for tags in TAGS.values() for tag in tags.values()}) == sum(map(len, TAGS.values()))


def test_huge_values_become_infinite(out: Path, store: RunStore):
    run = store.create({}, name="Exploded")
    store.log(run.id, [Row(phase="step", step=1, values={"loss": 1e300})])
    write_tensorboard(store, [run.id], out)
    assert curve(read(next(out.iterdir())), "loss/step")[0][2] == math.inf

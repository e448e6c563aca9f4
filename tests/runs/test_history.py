"""The shared history of a run: it grows, starts over with a new attempt, and asks the store only now and then."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from cnncore.runs.events import Row
from cnncore.runs.history import PAUSE_S, History
from cnncore.runs.store import Page, RunStore
from tests import fake_runs


def _step(step: int, at: float, **values: float | None) -> Row:
    return Row(phase="step", step=step, time=at, values={"loss": 1.0, **values})


@pytest.fixture
def run_id(store: RunStore) -> str:
    return store.create({}, name="Run").id


def test_it_grows_by_what_is_new(store: RunStore, run_id: str):
    history = History(run_id)
    for start in range(0, 300, 100):
        store.log(run_id, [_step(step, 1e9 + step) for step in range(start + 1, start + 101)])
        history.refresh(store, max_age_s=0)
    assert history["step"]["step"].tolist() == list(range(1, 301))
    assert history["step"]["elapsed"][-1] == 299.0


def test_an_older_view_of_a_column_stays_as_it_was(store: RunStore, run_id: str):
    history = History(run_id)
    store.log(run_id, [_step(1, 1e9)])
    history.refresh(store, max_age_s=0)
    before = history["step"]["loss"]
    store.log(run_id, [_step(step, 1e9) for step in range(2, 500)])
    history.refresh(store, max_age_s=0)
    assert before.tolist() == [1.0]


def test_missing_values_and_late_columns_are_gaps(store: RunStore, run_id: str):
    store.log(run_id, [_step(1, 1e9, lr=0.1), _step(2, 1e9, lr=None, grad_norm=3.0)])
    history = History(run_id)
    history.refresh(store)
    assert np.isnan(history["step"]["lr"]).tolist() == [False, True]
    assert np.isnan(history["step"]["grad_norm"]).tolist() == [True, False]
    assert np.isnan(history["step"]["never logged"]).all()
    assert len(history["epoch"]) == 0


def test_lists_and_texts_are_kept_in_their_rows_only(store: RunStore, run_id: str):
    store.log(run_id, [fake_runs.epoch_row(1, 10, 2, 1e9)])
    store.log(run_id, [Row(phase="change", step=5, values={"setting": "optimizer.lr", "value": 0.5})])
    history = History(run_id)
    history.refresh(store)
    assert "per_class" not in history["epoch"].names
    assert len(history.epochs[0]["per_class"]) == 10
    assert history.epochs[0]["step"] == 10
    assert history["change"]["value"].tolist() == [0.5]
    assert history.changes[0].values["setting"] == "optimizer.lr"


def test_a_new_attempt_drops_what_came_after_the_checkpoint(store: RunStore, run_id: str):
    history = History(run_id)
    store.begin_attempt(run_id, 0)
    store.log(run_id, [_step(step, 1e9 + step) for step in range(1, 11)])
    history.refresh(store, max_age_s=0)
    stamp = history.stamp("step")
    store.begin_attempt(run_id, 6)
    store.log(run_id, [_step(step, 1e9 + step) for step in range(7, 9)])
    history.refresh(store, max_age_s=0)
    assert history["step"]["step"].tolist() == list(range(1, 9))
    assert history.stamp("step") != stamp


def test_a_pause_does_not_count_as_training_time(store: RunStore, run_id: str):
    times = [0.0, 10.0, 10.0 + PAUSE_S + 500, 10.0 + PAUSE_S + 505]
    store.log(run_id, [_step(step, 1e9 + at) for step, at in enumerate(times, 1)])
    history = History(run_id)
    history.refresh(store)
    assert history["step"]["elapsed"].tolist() == [0.0, 10.0, 10.0, 15.0]


def test_many_viewers_cost_one_question(store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []

    def since(run: str, cursor: int = 0, *, limit: int = 0) -> Page:
        asked.append(cursor)
        return Page(rows=(), cursor=0, attempt=0)

    monkeypatch.setattr(store, "since", since)
    history = History(run_id)
    viewers = [threading.Thread(target=history.refresh, args=(store,)) for _ in range(20)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    assert asked == [0]


def test_a_drawing_is_made_once_for_each_state(store: RunStore, run_id: str):
    history = History(run_id)
    made: list[int] = []

    def draw() -> int:
        made.append(1)
        return len(made)

    assert [history.drawn("loss", history.stamp("step"), draw) for _ in range(3)] == [1, 1, 1]
    store.log(run_id, [_step(1, 1e9)])
    history.refresh(store, max_age_s=0)
    assert history.drawn("loss", history.stamp("step"), draw) == 2
    assert history.drawn("accuracy", history.stamp("step"), draw) == 3


def test_a_long_run_is_read_in_parts_at_one_go(store: RunStore, artifacts: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cnncore.runs.history.READ_ROWS", 1_000)
    run = fake_runs.open_run(store, artifacts, steps=8_000)
    history = History(run.id)
    history.refresh(store)
    assert len(history["step"]) == 8_000
    assert len(history["layers"]) == 800
    assert history["layers"].names[: len(fake_runs.LAYERS)] == fake_runs.LAYERS

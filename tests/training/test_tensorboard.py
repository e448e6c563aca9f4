"""With the setting on, a run writes its event files while it trains, and a resumed one has nothing twice."""

from __future__ import annotations

from pathlib import Path

from cnncore.config import TrainConfig, replace
from cnncore.runs.artifacts import run_dir
from cnncore.runs.events import Event, StepEnd
from cnncore.runs.store import RESUMABLE, RunStore
from cnncore.runs.tensorboard import EVENTS
from cnncore.training.api import carry_out
from cnncore.training.execute import Execution
from tests.runs.test_tensorboard import assert_same, curve, read


def test_a_resumed_run_has_every_step_once(store: RunStore, artifacts: Path, tiny: TrainConfig):
    config = replace(tiny, {"training.tensorboard": True})
    run = store.create(config.model_dump(mode="json"), name="Watched", status="starting")
    started: list[Execution] = []

    def stop_in_the_second_epoch(event: Event) -> None:
        if isinstance(event, StepEnd) and event.step == 6:
            started[0].request_stop()

    run, status = carry_out(store, run, stop_in_the_second_epoch, started.append)
    assert status == "stopped"
    folder = run_dir(artifacts, run.id) / EVENTS
    assert [step for step, *_ in curve(read(folder), "loss/step")] == [1, 2, 3, 4, 5, 6]
    assert store.claim(run.id, "somewhere", RESUMABLE)
    run, status = carry_out(store, store.get(run.id))
    assert status == "finished"
    events = read(folder)
    assert_same(events, store, run)
    assert [step for step, *_ in curve(events, "loss/step")] == list(range(1, 9))
    assert [step for step, *_ in curve(events, "accuracy/test")] == [8]


def test_without_the_setting_nothing_is_written(store: RunStore, artifacts: Path, tiny: TrainConfig):
    config = replace(tiny, {"training.epochs": 1})
    run, _ = carry_out(store, store.create(config.model_dump(mode="json"), name="Quiet", status="starting"))
    assert not (run_dir(artifacts, run.id) / EVENTS).exists()

"""Carrying out a run beside others who change its row."""

from __future__ import annotations

from pathlib import Path

from cnncore.config import TrainConfig
from cnncore.runs.events import Event, StepEnd
from cnncore.runs.store import RunStore
from cnncore.training.execute import Execution


def test_a_failing_process_leaves_a_newer_attempt_alone(
    store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig
) -> None:
    run = store.create(tiny.model_dump(mode="json"), name="a", status="starting")

    def take_away(event: Event) -> None:
        if isinstance(event, StepEnd):
            store.begin_attempt(run.id, 0)
            raise RuntimeError("The old process has a problem.")

    Execution(store, artifacts, data_root, run, take_away).carry_out()
    assert (store.get(run.id).status, store.get(run.id).error) == ("running", None)

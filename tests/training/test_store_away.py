"""Training while the run store's server is away: it waits for it and goes on, or ends in order; nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cnncore.config import TrainConfig
from cnncore.errors import StoreError
from cnncore.runs import patience
from cnncore.runs.events import Event, StepEnd
from cnncore.runs.store import RESUMABLE, RunStore
from cnncore.training import execute, recorder
from cnncore.training.execute import Execution
from tests.postgresql import Server


@pytest.fixture
def database(postgresql: Server) -> str:
    return postgresql.new_database()


@pytest.fixture
def store(postgresql: Server, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    monkeypatch.setattr(patience, "RETRY_S", 0.01)
    monkeypatch.setattr(execute, "FLUSH_S", 0.0)
    monkeypatch.setattr(recorder, "FLUSH_S", 0.0)
    store = RunStore(postgresql.url(database))
    yield store
    store.engine.dispose()


def steps(store: RunStore, run_id: str) -> list[int]:
    return [row.step for row in store.since(run_id, phases=["step"]).rows]


def test_it_goes_on_when_the_server_is_back(
    postgresql: Server, database: str, store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig
) -> None:
    run = store.create(tiny.model_dump(mode="json"), name="a", status="starting")
    away: list[float] = []

    def cut(event: Event) -> None:
        if isinstance(event, StepEnd):
            postgresql.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS {event.step % 3 != 0}")
            postgresql.cut_connections(database)

    execution = Execution(store, artifacts, data_root, run, cut)

    def until_it_is_back(waited: float) -> bool:
        away.append(waited)
        postgresql.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
        return waited < 30

    execution.store.keep_trying = until_it_is_back
    assert execution.carry_out() == "finished"
    assert len(away) >= 2
    assert steps(store, run.id) == list(range(1, 9))
    assert store.get(run.id).status == "finished"


def test_a_run_that_is_to_end_meanwhile_ends_and_can_be_resumed(
    postgresql: Server, database: str, store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig
) -> None:
    run = store.create(tiny.model_dump(mode="json"), name="a", status="starting")

    def go_away(event: Event) -> None:
        if isinstance(event, StepEnd) and event.step == 6:
            postgresql.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
            postgresql.cut_connections(database)
            execution.request_stop()

    execution = Execution(store, artifacts, data_root, run, go_away)
    with pytest.raises(StoreError, match="cannot be reached"):
        execution.carry_out()
    postgresql.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    assert store.get(run.id).status == "running", "a runner will find its process gone"
    store.end(run.id, "interrupted")
    assert store.claim(run.id, "here", RESUMABLE)
    assert Execution(store, artifacts, data_root, store.get(run.id)).carry_out() == "finished"
    assert steps(store, run.id) == list(range(1, 9))
    assert store.get(run.id).attempt == 2

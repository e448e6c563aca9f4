"""`train`: one call from Python or a notebook, with the same store and files as the app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cnncore import places
from cnncore.config import TrainConfig, readable_name, replace
from cnncore.errors import LabError
from cnncore.runs.artifacts import run_dir
from cnncore.runs.events import Event
from cnncore.runs.latencies import KIND as LATENCY
from cnncore.runs.runner import own_process
from cnncore.runs.store import Run, RunStore
from cnncore.training.execute import Execution
from cnncore.training.latency import Measurement


class Stoppable(Protocol):
    """What carries out a run, of whatever kind."""

    def request_stop(self) -> None:
        """End soon, in order."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """How a run ended.

    Attributes:
        run: Its id; the app shows it under `?run=ID`.
        status: `finished`, `stopped`, `paused` or `interrupted`.
        test_accuracy: Share of right test images, 0 to 1; None if the test split was not scored.
        folder: Where its weights lie.
    """

    run: str
    status: str
    test_accuracy: float | None
    test_correct: int | None
    test_count: int | None
    best_val_accuracy: float | None
    folder: Path


def train(
    config: TrainConfig | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    name: str | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> TrainResult:
    """Train here and now, in this process; the run appears in the app while it is on.

    Args:
        config: What to train; by default the tutorial LeNet on the built-in digits.
        settings: Dotted settings on top of it, for example `{"optimizer.lr": 3e-3}`.
        name: Name of the run.
        on_event: Called with every event.

    Raises:
        LabError: if the configuration is impossible or training failed.
    """
    config = replace(config or TrainConfig(), settings or {})
    store = RunStore(places.database_url())
    run = store.create(config.model_dump(mode="json"), name=name or readable_name(config), status="starting")
    return result_of(store, carry_out(store, run, on_event)[0])


def carry_out(
    store: RunStore,
    run: Run,
    on_event: Callable[[Event], None] | None = None,
    on_execution: Callable[[Stoppable], None] | None = None,
) -> tuple[Run, str]:
    """Do a run whose status is `starting` in this process; returns it as it is afterwards, and its status.

    Args:
        store: The run store.
        run: The run.
        on_event: Called with every event.
        on_execution: Called before the start, for example to let signals stop it.
    """
    store.set_process(run.id, *own_process())
    try:
        if run.kind == LATENCY:
            execution = Measurement(store, run)
        else:
            execution = Execution(store, places.artifacts_dir(), places.data_dir(), run, on_event)
    except LabError as problem:
        store.end(run.id, "failed", error=problem.message, hint=problem.hint, attempt=run.attempt)
        return store.get(run.id), "failed"
    if on_execution:
        on_execution(execution)
    status = execution.carry_out()
    return store.get(run.id), status


def result_of(store: RunStore, run: Run) -> TrainResult:
    """The result of a run that is over.

    Raises:
        LabError: with the run's own sentence, if it failed.
    """
    if run.status in ("failed", "interrupted") and run.error:
        raise LabError(run.error, run.hint or "")
    summary = run.summary
    return TrainResult(
        run=run.id,
        status=run.status,
        test_accuracy=summary.get("test_accuracy"),
        test_correct=summary.get("test_correct"),
        test_count=summary.get("test_count"),
        best_val_accuracy=summary.get("best_val_accuracy"),
        folder=run_dir(places.artifacts_dir(), run.id),
    )

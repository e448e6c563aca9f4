"""Carrying out a run beside others who change its row."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import torch
from sqlalchemy.exc import OperationalError

from cnncore.config import TrainConfig, replace
from cnncore.runs.artifacts import RESERVE, RESERVE_BYTES, RESUME, WEIGHTS, WEIGHTS_CARD
from cnncore.runs.events import EpochEnd, Event, StepEnd
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


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "The memory of the GPU ran out"),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), "The memory of the GPU ran out"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), "The memory of the GPU ran out"),
        (RuntimeError("[enforce] DefaultCPUAllocator: can't allocate memory"), "The memory of the computer ran out"),
        (MemoryError(), "The memory of the computer ran out"),
        (
            RuntimeError("adaptive_avg_pool2d_backward_cuda does not have a deterministic implementation, but you set"),
            "A GPU cannot repeat a step of this network bit for bit (adaptive_avg_pool2d_backward_cuda).",
        ),
    ],
)
def test_what_a_gpu_cannot_do_is_told_in_a_sentence(
    problem: Exception, message: str, store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig
) -> None:
    run = store.create(tiny.model_dump(mode="json"), name="a", status="starting")

    def fail(event: Event) -> None:
        execution.recorder.describe(device_name="the GPU")
        raise problem

    execution = Execution(store, artifacts, data_root, run, fail)
    assert execution.carry_out() == "failed"
    assert (store.get(run.id).error or "").startswith(message)


def test_the_best_epoch_is_kept_where_the_loss_is_lost_before_the_next_checkpoint(
    store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(tiny, {"transfer.head": "linear", "training.epochs": 9, "optimizer.lr": 3e-3})
    run = store.create(config.model_dump(mode="json"), name="a", status="starting")
    monkeypatch.setattr("cnncore.training.execute.FLUSH_S", 0.0)

    def blow_up(event: Event) -> None:
        execution._saving_s = 1e9  # no later epoch is worth a checkpoint of its own
        if isinstance(event, EpochEnd) and event.epoch == 4:
            store.ask_change(run.id, "optimizer.lr", 1e38)

    execution = Execution(store, artifacts, data_root, run, blow_up)
    assert execution.carry_out() == "failed"
    after = store.get(run.id)
    assert "stopped being a number" in (after.error or "")
    card = json.loads((artifacts / run.id / WEIGHTS_CARD).read_text(encoding="utf-8"))
    assert after.summary["best_epoch"] > 1
    assert card["epoch"] == after.summary["best_epoch"]


def test_more_epochs_do_not_begin_with_no_time_left(
    store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnncore.training.recorder.FLUSH_S", 0.0)
    run = store.create(tiny.model_dump(mode="json"), name="a", status="starting")
    assert Execution(store, artifacts, data_root, run).carry_out() == "finished"
    assert store.get(run.id).summary["eta_s"] == 0
    longer = replace(tiny, {"training.epochs": tiny.training.epochs + 1})
    store.requeue(run.id, longer.model_dump(mode="json"))
    store.claim(run.id, "here")
    told: list[float | None] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepEnd):
            told.append(store.get(run.id).summary.get("eta_s"))

    assert Execution(store, artifacts, data_root, store.get(run.id), listen).carry_out() == "finished"
    # One step alone has no pace.
    assert told[0] is None
    assert (told[1] or 0) > 0


FAULTS = {
    "full disk": (OSError(errno.ENOSPC, "No space left on device"), "The disk is full", "Free some space"),
    "full database": (
        OperationalError("INSERT", {}, Exception("database or disk is full")), "The disk is full", "Free some space"
    ),
    "memory of a GPU": (torch.OutOfMemoryError("CUDA out of memory."), "ran out at step 6", "a batch size of 25"),
    "memory": (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "ran out at step 6", "a batch size of 25"),
    "anything else": (ValueError("odd\nTraceback of something"), "Training failed at step 5: odd", "resuming may help"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence_and_keeps_what_was_learned(
    store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    problem, words, advice = FAULTS[fault]
    run = store.create(tiny.model_dump(mode="json"), name="a", status="starting")
    monkeypatch.setattr("cnncore.training.recorder.FLUSH_S", 0.0)

    def break_down(event: Event) -> None:
        if isinstance(event, StepEnd) and event.step == 5:
            raise problem

    execution = Execution(store, artifacts, data_root, run, break_down)
    assert execution.carry_out() == "failed"
    after = store.get(run.id)
    assert words in (after.error or "")
    assert "\n" not in (after.error or "")
    assert advice in (after.hint or "")
    assert all((artifacts / run.id / name).is_file() for name in (RESUME, WEIGHTS)), "the first epoch is kept"


def test_a_run_has_room_to_say_that_the_disk_is_full(
    store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(tiny.model_dump(mode="json"), name="a", status="starting")
    reserve, end = artifacts / run.id / RESERVE, store.end

    def end_where_there_is_room(*arguments: object, **more: object) -> None:
        if reserve.exists():
            raise OperationalError("UPDATE", {}, Exception("database or disk is full"))
        end(*arguments, **more)  # pyright: ignore[reportArgumentType]

    def fill(event: Event) -> None:
        assert reserve.stat().st_size == RESERVE_BYTES
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "end", end_where_there_is_room)
    assert Execution(store, artifacts, data_root, run, fill).carry_out() == "failed"
    assert "The disk is full" in (store.get(run.id).error or "")

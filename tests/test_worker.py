"""Real training processes: stopped, paused, killed at random moments, and resumed to the same weights bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from cnncore.config import TrainConfig, replace
from cnncore.runs.artifacts import RESUME, WEIGHTS, load_evaluation
from cnncore.runs.runner import Runner, find_process
from cnncore.runs.store import Run, RunStore

pytestmark = pytest.mark.slow


@pytest.fixture
def runner(store: RunStore, artifacts: Path) -> Iterator[Runner]:
    runner = Runner(store, artifacts)
    yield runner
    for child in runner.children.values():
        child.kill()
        child.wait()
    for child in runner._leaving:
        child.wait()


@pytest.fixture
def config(tiny: TrainConfig) -> TrainConfig:
    """Long enough to be caught in the middle: five epochs of 40 steps."""
    return replace(tiny, {"data.train_images": 2_000, "training.epochs": 5, "training.ema": 0.9})


def follow(runner: Runner, run: Run, until: Callable[[Run], bool], seconds: float = 120) -> Run:
    end = time.monotonic() + seconds
    while True:
        runner.tick()
        run = runner.store.get(run.id)
        if until(run):
            return run
        assert time.monotonic() < end, f"it took too long: {run}"
        time.sleep(0.02)


def over(run: Run) -> bool:
    return not run.is_open


def reached(step: int) -> Callable[[Run], bool]:
    return lambda run: run.summary.get("step", 0) >= step or over(run)


def enqueue(store: RunStore, config: TrainConfig) -> Run:
    return store.create(config.model_dump(mode="json"), name="test")


def same_weights(artifacts: Path, left: Run, right: Run) -> bool:
    first, second = (load_file(artifacts / run.id / WEIGHTS) for run in (left, right))
    return first.keys() == second.keys() and all((first[name] == second[name]).all() for name in first)


def caught(runner: Runner, config: TrainConfig, midway: Callable[[Run], Run]) -> Run:
    """A run still training once `midway` has followed it: a quick machine may end one between two looks at it."""
    for _ in range(5):
        run = midway(enqueue(runner.store, config))
        if not over(run):
            return run
    pytest.fail("five runs in turn ended before they were caught; give them more epochs")


def kill(run: Run) -> None:
    process = find_process(run)
    if process is not None:
        process.send_signal(signal.SIGKILL)


def test_stopped_killed_and_resumed_runs_end_like_one_never_stopped(
    runner: Runner, store: RunStore, artifacts: Path, config: TrainConfig
) -> None:
    draw = random.Random(7)
    whole = follow(runner, enqueue(store, config), over)
    assert whole.status == "finished"

    step = draw.randrange(20, 150)
    stopped = caught(runner, config, lambda run: follow(runner, run, reached(step)))
    store.ask(stopped.id, "stop")
    stopped = follow(runner, stopped, over)
    assert stopped.status == "stopped"
    assert 0 < stopped.summary["step"] < 200
    store.requeue(stopped.id)
    stopped = follow(runner, stopped, over)

    step = draw.randrange(60, 150)
    killed = caught(runner, config, lambda run: follow(runner, run, reached(step)))
    kill(killed)
    killed = follow(runner, killed, over)
    assert killed.status == "interrupted"
    store.requeue(killed.id)
    killed = follow(runner, killed, over)

    for run in (stopped, killed):
        assert run.status == "finished", run.error
        assert run.attempt == 2
        assert same_weights(artifacts, whole, run)
        assert run.summary["test_correct"] == whole.summary["test_correct"]
        rows = [row for row in store.since(run.id).rows if row.phase == "step"]
        assert sorted(row.step for row in rows) == list(range(1, 201)), "no step is missing or double"
        expected = {row.step: row.values["loss"] for row in store.since(whole.id).rows if row.phase == "step"}
        assert {row.step: row.values["loss"] for row in rows} == expected


def test_ten_kills_at_random_moments_lose_at_most_an_epoch(
    runner: Runner, store: RunStore, artifacts: Path, config: TrainConfig
) -> None:
    draw = random.Random(11)
    whole = follow(runner, enqueue(store, config), over)
    run = enqueue(store, config)
    kills = 0
    while kills < 10:
        run = follow(runner, run, lambda run: run.pid is not None)
        # From before the process has imported anything to well into the training.
        time.sleep(draw.uniform(0.0, 4.5))
        before = store.get(run.id)
        if over(before):
            break
        kill(before)
        kills += 1
        run = follow(runner, run, over)
        assert run.status in ("interrupted", "finished")
        if run.status == "finished":
            break
        kept = artifacts / run.id / RESUME
        if before.summary.get("step", 0) > 40:
            assert kept.is_file()
        assert not list((artifacts / run.id).glob("*.pt")) or kept.stat().st_size > 0
        store.requeue(run.id)
    run = follow(runner, run, over)
    assert run.status == "finished", run.error
    assert kills >= 1
    assert same_weights(artifacts, whole, run)


def test_pause_frees_the_slot_and_resume_goes_first(runner: Runner, store: RunStore, config: TrainConfig) -> None:
    long = follow(runner, enqueue(store, replace(config, {"training.epochs": 40})), reached(5))
    other, last = enqueue(store, config), enqueue(store, config)
    store.ask(long.id, "pause")
    long = follow(runner, long, over)
    assert long.status == "paused"
    store.requeue(long.id, replace(config, {"training.epochs": 6}).model_dump(mode="json"))
    assert [run.id for run in store.queue()][:1] == [long.id]
    store.ask(last.id, "stop")
    assert follow(runner, long, over).status == "finished"
    assert follow(runner, other, over).status == "finished"


def test_a_learning_rate_changed_while_it_runs_is_replayed(
    runner: Runner, store: RunStore, artifacts: Path, config: TrainConfig
) -> None:
    config = replace(config, {"training.epochs": 8})
    run = follow(runner, enqueue(store, config), reached(10))
    store.ask_change(run.id, "optimizer.lr", 2e-4)
    run = follow(runner, run, lambda run: store.changes(run.id)[0].step is not None or over(run))
    assert not over(run)
    at = store.changes(run.id)[0].step or 0
    kill(store.get(run.id))
    follow(runner, run, over)
    store.requeue(run.id)
    run = follow(runner, run, over)
    assert run.status == "finished", run.error
    rates = {row.step: row.values["lr"] for row in store.since(run.id).rows if row.phase == "step"}
    assert rates[at] == 1e-3
    assert rates[at + 1] == 2e-4
    marks = [row for row in store.since(run.id).rows if row.phase == "change"]
    assert [(row.step, row.values["value"]) for row in marks] == [(at, 2e-4)]


def test_more_epochs_go_on_from_the_end(runner: Runner, store: RunStore, tiny: TrainConfig) -> None:
    run = follow(runner, enqueue(store, tiny), over)
    assert run.summary["test_scored"] == 1
    store.requeue(run.id, replace(tiny, {"training.epochs": 4}).model_dump(mode="json"))
    run = follow(runner, run, over)
    assert (run.status, run.summary["step"], run.summary["test_scored"]) == ("finished", 16, 2)
    assert run.summary["epochs"] == 4


def test_twenty_real_runs_finish_in_order(runner: Runner, store: RunStore, tiny: TrainConfig) -> None:
    runs = [enqueue(store, replace(tiny, {"training.seed": seed, "training.epochs": 1})) for seed in range(20)]
    for run in runs:
        assert follow(runner, run, over).status == "finished"
    started = [store.get(run.id).started or 0 for run in runs]
    assert started == sorted(started)


def test_what_goes_wrong_is_one_sentence(runner: Runner, store: RunStore, tiny: TrainConfig) -> None:
    missing = replace(tiny, {"data.dataset": "folder", "data.path": "no/such/folder", "data.train_images": None})
    run = follow(runner, enqueue(store, missing), over)
    assert run.status == "failed"
    assert "no/such/folder" in (run.error or "")
    assert run.hint

    huge = replace(tiny, {"optimizer.name": "sgd", "optimizer.lr": 10.0, "training.epochs": 30})
    huge = replace(huge, {"model.activation": "leaky_relu", "model.norm": "none", "model.init": "normal"})
    run = follow(runner, enqueue(store, replace(huge, {"model.width": 2.0})), over)
    assert run.status == "failed"
    assert "stopped being a number at step" in (run.error or "")
    assert "smaller learning rate" in (run.hint or "")


def test_a_process_whose_run_was_closed_by_somebody_else_leaves(
    runner: Runner, store: RunStore, config: TrainConfig
) -> None:
    run = follow(runner, enqueue(store, config), reached(5))
    process = find_process(run)
    assert process is not None
    store.end(run.id, "interrupted", error="Taken away.")
    process.wait(20)
    run = store.get(run.id)
    assert (run.status, run.error) == ("interrupted", "Taken away.")
    assert run.summary["step"] < 200


def test_a_damaged_checkpoint_says_so(runner: Runner, store: RunStore, artifacts: Path, config: TrainConfig) -> None:
    run = follow(runner, enqueue(store, config), lambda run: run.summary.get("epoch", 0) >= 2 or over(run))
    kill(run)
    follow(runner, run, over)
    path = artifacts / run.id / RESUME
    path.write_bytes(path.read_bytes()[:1_000])
    store.requeue(run.id)
    run = follow(runner, run, over)
    assert run.status == "failed"
    assert "damaged" in (run.error or "")


def test_files_and_summary_of_a_finished_run(
    runner: Runner, store: RunStore, artifacts: Path, tiny: TrainConfig
) -> None:
    run = follow(runner, enqueue(store, tiny), over)
    folder = artifacts / run.id
    assert set(store.artifacts(run.id)) == {
        "epochs/0001.npz", "epochs/0002.npz", "familiarity.npz", "model.json", "model.safetensors", "resume.pt",
        "test.npz",
    }  # fmt: skip
    assert all((folder / name).stat().st_size == size for name, size in store.artifacts(run.id).items())
    card = json.loads((folder / "model.json").read_text())
    assert card["classes"] == list("0123456789")
    assert card["test_correct"] == run.summary["test_correct"]
    test = load_evaluation(folder / "test.npz")
    assert test is not None
    assert test.correct == run.summary["test_correct"]
    assert run.summary["stage"] == "done"
    assert run.summary["num_params"] == 431_080
    assert len(run.summary["spark_accuracy"]) == 2


def test_ctrl_c_on_the_command_line_stops_with_a_checkpoint(store: RunStore, artifacts: Path) -> None:
    command = [sys.executable, "-m", "cnncore", "train", "--epochs", "60", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ.copy())
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("event") == "epoch":
            break
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    last = json.loads(out.splitlines()[-1])
    assert last["status"] == "stopped"
    assert (artifacts / last["run"] / RESUME).is_file()
    assert store.get(last["run"]).status == "stopped"

"""The queue: runs start once each and in order, vanished ones are noticed, stopping works on the stubborn too."""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from cnncore.runs import runner as runner_module
from cnncore.runs.runner import Command, Runner, describe_exit, find_process, is_running, serve, worker_environment
from cnncore.runs.store import RunStore
from cnncore.runs.tidying import delete

MakeRunner = Callable[[Command], Runner]

STAND_IN = Path(__file__).with_name("stand_in_worker.py")
SLEEPER = "import sys, time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def tick_until(runner: Runner, done: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not done():
        runner.tick()
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


@pytest.fixture
def make_runner(store: RunStore, artifacts: Path) -> Iterator[MakeRunner]:
    runners: list[Runner] = []

    def make(command: Command) -> Runner:
        runners.append(Runner(store, artifacts, command=command))
        return runners[-1]

    yield make
    for runner in runners:
        for child in runner.children.values():
            child.kill()
            child.wait()


def python(code: str) -> Callable[[str], Sequence[str]]:
    return lambda run_id: (sys.executable, "-c", code, run_id)


@pytest.mark.slow
def test_two_hundred_runs_start_once_each_and_in_order(
    make_runner: MakeRunner, store: RunStore, artifacts: Path
) -> None:
    database = artifacts / "lab.db"
    runner = make_runner(lambda run_id: (sys.executable, "-S", str(STAND_IN), str(database), run_id))
    ids = [store.create({}, name=f"run {number}").id for number in range(200)]
    tick_until(runner, lambda: not any(run.is_open for run in store.list()), seconds=240)
    runs = {run.id: run for run in store.list()}
    assert {run.status for run in runs.values()} == {"finished"}
    started = [runs[run_id].started or 0 for run_id in ids]
    assert started == sorted(started)
    ended = [runs[run_id].ended or 0 for run_id in ids]
    assert all(begin >= end for begin, end in zip(started[1:], ended, strict=False)), "one at a time"
    assert all(len(store.since(run_id).rows) == 3 for run_id in ids), "none ran twice"


def test_a_killed_worker_is_noticed(make_runner: MakeRunner, store: RunStore) -> None:
    runner = make_runner(python(SLEEPER))
    run = store.create({}, name="a")
    tick_until(runner, lambda: store.get(run.id).pid is not None)
    process = find_process(store.get(run.id))
    assert process is not None
    process.kill()
    tick_until(runner, lambda: not store.get(run.id).is_open)
    ended = store.get(run.id)
    assert ended.status == "interrupted"
    assert "killed from outside" in (ended.error or "")
    assert ended.hint
    assert ended.pid is None


def test_a_new_runner_finds_the_worker_of_the_old_one(make_runner: MakeRunner, store: RunStore) -> None:
    first = make_runner(python(SLEEPER))
    run, waiting = store.create({}, name="a"), store.create({}, name="b")
    tick_until(first, lambda: store.get(run.id).pid is not None)
    second = make_runner(python(SLEEPER))
    for _ in range(5):
        second.tick()
    assert store.get(run.id).status == "starting"
    assert store.get(waiting.id).status == "queued", "the slot is taken"
    process = find_process(store.get(run.id))
    assert process is not None
    process.kill()
    first.children[run.id].wait()
    store.ask(waiting.id, "stop")
    tick_until(second, lambda: not store.get(run.id).is_open)
    assert store.get(run.id).status == "interrupted"


def test_a_worker_that_ignores_everything_is_killed(
    make_runner: MakeRunner, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "TERMINATE_AFTER_S", 0.1)
    monkeypatch.setattr(runner_module, "KILL_AFTER_S", 0.5)
    runner = make_runner(python(STUBBORN))
    run = store.create({}, name="a")
    tick_until(runner, lambda: store.get(run.id).pid is not None)
    store.ask(run.id, "stop")
    tick_until(runner, lambda: not store.get(run.id).is_open, seconds=10)
    assert store.get(run.id).status == "stopped", "it did end because somebody wanted it to"


def test_a_recycled_process_id_is_not_taken_for_the_worker(store: RunStore) -> None:
    run = store.create({}, name="a", status="starting")
    me = psutil.Process()
    store.set_process(run.id, "here", me.pid, me.create_time())
    assert find_process(store.get(run.id)) is not None
    store.set_process(run.id, "here", me.pid, me.create_time() - 100)
    assert find_process(store.get(run.id)) is None


def test_one_runner_a_host(store: RunStore, artifacts: Path) -> None:
    from filelock import FileLock

    assert not is_running(artifacts)
    with FileLock(artifacts / "runner.lock"):
        assert is_running(artifacts)
        assert not serve(store, artifacts, idle_exit_s=0)
    assert serve(store, artifacts, idle_exit_s=0), "with nothing to do it ends by itself"


def test_exit_codes_in_words() -> None:
    assert "memory" in describe_exit(-signal.SIGKILL)
    assert "signal 11" in describe_exit(-signal.SIGSEGV)
    assert "exit code 3" in describe_exit(3)
    assert "vanished" in describe_exit(None)


def test_a_run_of_another_machine_is_given_up_after_long_silence(
    make_runner: MakeRunner, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create({}, name="a")
    store.claim(run.id, "a container that is gone")
    runner = make_runner(python(SLEEPER))
    runner.tick()
    assert store.get(run.id).status == "starting"
    monkeypatch.setattr(runner_module, "SILENCE_S", -1.0)
    runner.tick()
    run = store.get(run.id)
    assert run.status == "interrupted"
    assert "a container that is gone" in (run.error or "")
    assert "resume it" in (run.hint or "")


def test_folders_are_handed_on_as_absolute_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CNNLAB_ARTIFACTS", "my runs")
    monkeypatch.delenv("CNNLAB_DATA")
    assert worker_environment()["CNNLAB_ARTIFACTS"] == str(tmp_path.resolve() / "my runs")
    assert "CNNLAB_DATA" not in worker_environment()


def test_the_environment_of_workers_can_be_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("MALLOC_MMAP_MAX_", "5")
    assert worker_environment()["MALLOC_MMAP_MAX_"] == "5"
    monkeypatch.delenv("MALLOC_MMAP_MAX_")
    assert worker_environment()["MALLOC_MMAP_MAX_"] == "0"


def test_a_run_that_is_deleted_during_a_tick_does_not_end_the_runner(
    make_runner: MakeRunner, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create({}, name="a")
    store.claim(run.id, socket.gethostname())
    store.set_process(run.id, socket.gethostname(), 2**22 + 1, 0.0)
    snapshot = store.list()
    store.end(run.id, "finished")
    delete(store, [run.id])
    monkeypatch.setattr(store, "list", lambda **_: snapshot)
    assert not make_runner(python(SLEEPER)).tick()


@pytest.mark.parametrize("host", [socket.gethostname(), "a machine that is gone"])
def test_a_run_seen_before_its_worker_began_is_closed_by_the_next_look(
    make_runner: MakeRunner, store: RunStore, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(runner_module, "SILENCE_S", -1.0)
    run = store.create({}, name="a")
    store.claim(run.id, host)
    store.set_process(run.id, host, 2**22 + 1, 0.0)
    snapshot = store.list()
    store.set_running(run.id)
    store.begin_attempt(run.id, 0)
    runner = make_runner(python(SLEEPER))
    with monkeypatch.context() as stale:
        stale.setattr(store, "list", lambda **_: snapshot)
        runner.tick()
    assert store.get(run.id).status == "running", "what was read is of another attempt"
    runner.tick()
    assert store.get(run.id).status == "interrupted"

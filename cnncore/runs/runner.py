"""The runner: one process a host that starts queued runs, one at a time, and notices when one has vanished.

The store's rows are the queue; the runner only starts and stops processes, so it may be killed and restarted at any
time: it finds its workers again by process id and the time they were created.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from cnncore.errors import ConfigError, RunError, StoreError
from cnncore.places import PROJECT_ROOT, environment
from cnncore.runs.artifacts import LOG, run_dir
from cnncore.runs.store import ALIVE, ENDED_STATUS, Run, RunStore
from cnncore.runs.tidying import purge

POLL_S = 0.2
IDLE_EXIT_S = 60.0
TERMINATE_AFTER_S = 5.0
KILL_AFTER_S = 30.0
"""A worker reads `wanted` between steps; it is sent SIGTERM, then killed, when it has not ended after these times."""
START_GRACE_S = 15.0
PURGE_EVERY_S = 3_600.0
MAX_SLOTS = 64
"""Most runs that may be on at once."""
SILENCE_S = 600.0
"""A run of another machine is given up after so long without a heartbeat: a container that is gone, for instance."""

_KEPT = "What it had learned by its last checkpoint is kept: resume it to go on from there."

Command = Callable[[str], Sequence[str]]


def worker_command(run_id: str) -> Sequence[str]:
    """The command that trains one run."""
    return (sys.executable, "-m", "cnncore.worker", run_id)


def worker_environment() -> dict[str, str]:
    """The environment of a process that trains: this one's, with the C libraries tuned where nothing else was asked.

    Every step frees and takes the same large buffers; glibc keeping them saves the page faults (23 % on the three-layer
    CNN). GNU OpenMP's threads otherwise spin for milliseconds while they wait for each other, which costs nothing on an
    idle machine and everything beside a browser: on two cores with one other busy process LeNet trained ten times
    slower. A thousand turns keep nearly all of the speed alone and lose little beside others.
    """
    tuned = {
        "GOMP_SPINCOUNT": "1000",
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": str(8 << 30),
        "MALLOC_TOP_PAD_": str(256 << 20),
    }
    return {**tuned, **environment()} if sys.platform == "linux" else environment()


def own_process() -> tuple[str, int, float]:
    """Host, id and creation time of this process, as the store notes them."""
    return socket.gethostname(), os.getpid(), psutil.Process().create_time()


def find_process(run: Run) -> psutil.Process | None:
    """The process that works on the run, on this host; None if it is gone (or its id now belongs to another)."""
    if run.pid is None or run.pid_created is None:
        return None
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(run.pid)
        same = abs(process.create_time() - run.pid_created) < 1.0
        if same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _is_worker(process: psutil.Process, run_id: str) -> bool:
    """Whether the process is there for the run alone; a notebook that trains must not be killed with its run."""
    with contextlib.suppress(psutil.Error):
        return run_id in process.cmdline()
    return False


def kill_tree(process: psutil.Process) -> None:
    """Kill a process and everything it started; a process group would miss children with sessions of their own."""
    with contextlib.suppress(psutil.Error):
        family = [*process.children(recursive=True), process]
        for member in family:
            with contextlib.suppress(psutil.Error):
                member.kill()


def describe_exit(code: int | None) -> str:
    """What the exit code of a vanished process means, in words."""
    if code is None:
        return "The training process vanished; the machine may have been restarted."
    if code == -signal.SIGKILL:
        return "The training process was killed from outside, perhaps because memory ran out."
    if code < 0:
        return f"The training process was ended by signal {-code}."
    return f"The training process ended unexpectedly (exit code {code})."


class Runner:
    """Starts queued runs of a store on this host.

    Args:
        store: Where the queue is.
        artifacts: Folder with one folder a run; each worker's output goes there.
        slots: How many runs may be on at once.
        command: What starts the worker of a run.
    """

    def __init__(self, store: RunStore, artifacts: Path, *, slots: int = 1, command: Command = worker_command) -> None:
        self.store = store
        self.artifacts = artifacts
        self.slots = slots
        self.command = command
        self.host = socket.gethostname()
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self._leaving: list[subprocess.Popen[bytes]] = []
        self._purged = -math.inf

    def tick(self) -> bool:
        """Look after the runs that are on and start the next; returns whether there is anything to do."""
        alive = self.store.list(status=ALIVE)
        on = [run for run in alive if run.host in (self.host, None)]
        on = [run for run in on if self._look_after(run)]
        for run in alive:
            if run.host not in (self.host, None) and time.time() - (run.beat or 0) > SILENCE_S:
                self._give_up(run)
        self._reap({run.id for run in on})
        waiting = self.store.queue()
        for run in waiting[: max(0, self.slots - len(on))]:
            if self.store.claim(run.id, self.host):
                self._start(run.id)
        return bool(on or waiting)

    def serve(self, idle_exit_s: float = IDLE_EXIT_S) -> None:
        """Tick until there has been nothing to do for `idle_exit_s` seconds.

        Raises:
            StoreError: if the store has been away for SILENCE_S.
        """
        last_work = last_heard = time.monotonic()
        while time.monotonic() - last_work < idle_exit_s:
            try:
                self._purge_at_times()
                busy = self.tick()
                last_heard = time.monotonic()
            except StoreError:
                if time.monotonic() - last_heard > SILENCE_S:
                    raise
                busy = True  # as far as it knows
            if busy:
                last_work = time.monotonic()
            time.sleep(POLL_S)

    def _purge_at_times(self) -> None:
        if time.monotonic() - self._purged > PURGE_EVERY_S:
            purge(self.store, self.artifacts)
            self._purged = time.monotonic()

    def _start(self, run_id: str) -> None:
        folder = run_dir(self.artifacts, run_id)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOG).open("ab") as log:
            child = subprocess.Popen(
                self.command(run_id),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=PROJECT_ROOT,
                env=worker_environment(),
                start_new_session=True,
            )
        # A run resumed at once may have its old process still on the way out.
        self._leaving += [self.children[run_id]] if run_id in self.children else []
        self.children[run_id] = child
        # A worker that is quicker than this line has set the same values itself.
        with contextlib.suppress(psutil.Error):
            self.store.set_process(run_id, self.host, child.pid, psutil.Process(child.pid).create_time())

    def _reap(self, on: set[str]) -> None:
        """Let go of processes that have ended, or zombies would pile up."""
        self.children = {
            run_id: child for run_id, child in self.children.items() if run_id in on or child.poll() is None
        }
        self._leaving = [child for child in self._leaving if child.poll() is None]

    def _look_after(self, run: Run) -> bool:
        """Notice a vanished worker, hurry one that was asked to stop; returns whether the run is still on."""
        child = self.children.get(run.id)
        if child is not None and run.pid is not None and child.pid != run.pid:
            # Somebody else works on it now, the command line for instance; ours is on its way out.
            child = None
        code = child.poll() if child else None
        process = find_process(run)
        now = time.time()
        if child is not None:
            gone = code is not None
        else:
            gone = process is None and (run.pid is not None or now - (run.started or 0) > START_GRACE_S)
        if gone:
            return not self._close(run, code)
        if process is not None and run.wanted_at is not None and _is_worker(process, run.id):
            waited = now - run.wanted_at
            if waited > KILL_AFTER_S:
                kill_tree(process)
            elif waited > TERMINATE_AFTER_S:
                with contextlib.suppress(psutil.Error):
                    process.terminate()
        return True

    def _give_up(self, run: Run) -> None:
        silence = f"The machine {run.host}, which trained it, has been silent for {SILENCE_S / 60:.0f} minutes."
        self.store.end(run.id, "interrupted", error=silence, hint=_KEPT, attempt=run.attempt)

    def _close(self, run: Run, code: int | None) -> bool:
        try:
            current = self.store.get(run.id)
        except RunError:
            return True  # it ended and was deleted since the list was read
        if current.status not in ALIVE or (current.pid, current.attempt) != (run.pid, run.attempt):
            return current.status not in ALIVE
        if current.wanted:
            return self.store.end(
                run.id,
                ENDED_STATUS[current.wanted],
                error="The training process did not end by itself and was ended from outside.",
                hint=_KEPT,
                attempt=run.attempt,
            )
        return self.store.end(run.id, "interrupted", error=describe_exit(code), hint=_KEPT, attempt=run.attempt)


def _lock_path(artifacts: Path) -> Path:
    return artifacts / "runner.lock"


def is_running(artifacts: Path) -> bool:
    """Whether a runner serves this folder on this host."""
    artifacts.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_lock_path(artifacts), timeout=0)
    try:
        with lock:
            return False
    except Timeout:
        return True


def allowed_slots() -> int:
    """How many runs may be on at once on this machine: `CNNLAB_SLOTS`, else 1.

    Raises:
        ConfigError: if it is no whole number from 1 to MAX_SLOTS.
    """
    text = os.environ.get("CNNLAB_SLOTS") or "1"
    if text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_SLOTS:
        return int(text)
    raise ConfigError(
        "CNNLAB_SLOTS",
        f"No waiting run can start: the environment variable CNNLAB_SLOTS is {text[:20]!r}.",
        f"Set it to a whole number from 1 to {MAX_SLOTS}, or leave it out, and start the lab again.",
    )


def ensure_runner(artifacts: Path) -> None:
    """Start a runner in the background unless one is there; it inherits this process's environment.

    Raises:
        ConfigError: if it would end at once, because nobody can tell how many runs may be on.
    """
    if is_running(artifacts):
        return
    allowed_slots()
    with (artifacts / "runner.log").open("ab") as log:
        subprocess.Popen(
            (sys.executable, "-m", "cnncore", "runner"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=PROJECT_ROOT,
            env=environment(),
            start_new_session=True,
        )


def serve(store: RunStore, artifacts: Path, *, slots: int = 1, idle_exit_s: float = IDLE_EXIT_S) -> bool:
    """Be the runner of this host until idle; returns False at once where another one is."""
    artifacts.mkdir(parents=True, exist_ok=True)
    served = False
    try:
        # A run may arrive between the last look at the queue and the release of the lock, hence another look.
        while not served or store.queue():
            # is_running() of another process may hold the lock for a moment.
            with FileLock(_lock_path(artifacts), timeout=2):
                Runner(store, artifacts, slots=slots).serve(idle_exit_s)
                served = True
    except Timeout:
        pass
    return served

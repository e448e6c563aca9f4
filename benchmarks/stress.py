"""Faults in numbers: processes killed at random moments, a long queue, many viewers; `make stress`.

    python -m benchmarks.stress [--kills 100] [--runs 200] [--viewers 20] [--seed 0]

A number of 0 leaves a part out. The exit code is 1 where a promise was broken.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from benchmarks import viewers
from benchmarks.report import Report, Target, lab_environment, parser, table
from cnncore.config import TrainConfig, replace
from cnncore.places import PROJECT_ROOT
from cnncore.runs.artifacts import RESERVE, RESUME, WEIGHTS, load_evaluation
from cnncore.runs.runner import Runner, find_process
from cnncore.runs.store import Run, RunStore
from cnncore.training.familiarity import FAMILIARITY, load_familiarity

PATIENCE_S = 300.0
KILLS_PER_RUN = 15
"""After so many a run may end in peace."""

STEPS_PER_EPOCH, EPOCHS = 40, 10
KILLED: Mapping[str, object] = {
    "data.train_images": 2_000,
    "augment.rotation": 10.0,
    "training.batch_size": 50,
    "training.epochs": EPOCHS,
    "training.ema": 0.9,
    "training.device": "cpu",
}
QUEUED: Mapping[str, object] = {
    "data.train_images": 200,
    "training.batch_size": 50,
    "training.epochs": 1,
    "training.device": "cpu",
}
QUEUED_STEPS = 4


def read_arrays(path: Path) -> None:
    """Read an npz file of a run as the lab reads it.

    Raises:
        ValueError: if a file that the lab can do without cannot be read; what the others raise is raised on.
    """
    if path.name != FAMILIARITY:
        load_evaluation(path)
    elif load_familiarity(path.parent) is None:
        raise ValueError("not what was saved")


READERS: dict[str, Callable[[Path], object]] = {
    ".pt": lambda path: torch.load(path, weights_only=True),
    ".npz": read_arrays,
    ".safetensors": load_file,
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
}


@dataclass(kw_only=True)
class Kills:
    """What came of the kills.

    Attributes:
        lost: Of each kill, the logged steps that have to be done again.
        at_step: The last step that the killed attempt had logged, 0 where it had not begun.
        kept: The step of the present run's checkpoint after the last kill.
    """

    lost: list[int] = field(default_factory=list[int])
    at_step: list[int] = field(default_factory=list[int])
    ends: Counter[str] = field(default_factory=Counter[str])
    problems: list[str] = field(default_factory=list[str])
    files_read: int = 0
    left_over: int = 0
    runs: int = 0
    kept: int = 0


def follow(runner: Runner, run: Run, until: Callable[[Run], bool]) -> Run:
    """Let the runner work until the run is where it should be.

    Raises:
        TimeoutError: if it never gets there.
    """
    end = time.monotonic() + PATIENCE_S
    while True:
        runner.tick()
        run = runner.store.get(run.id)
        if until(run):
            return run
        if time.monotonic() > end:
            raise TimeoutError(f"{run.name} is still {run.status} after {PATIENCE_S:.0f} s.")
        time.sleep(0.02)


def is_over(run: Run) -> bool:
    return not run.is_open


def has_process(run: Run) -> bool:
    return run.pid is not None or is_over(run)


def enqueue(store: RunStore, settings: Mapping[str, object], seed: int) -> Run:
    config = replace(TrainConfig(), {**settings, "training.seed": seed})
    return store.create(config.model_dump(mode="json"), name=f"Seed {seed}")


def steps_logged(store: RunStore, run: Run, since: float = 0.0) -> list[int]:
    return [row.step for row in store.since(run.id, phases=("step",)).rows if row.time >= since]


def bullets(problems: Sequence[str]) -> str:
    """The first problems as a list that ends a section; nothing where there are none."""
    return "\n".join(("\n", *(f"- {problem}" for problem in problems[:20]))) if problems else ""


# Kills


def kill_runs(artifacts: Path, kills: int, draw: random.Random) -> Kills:
    """Kill workers at random moments, from before they have imported anything to their last files, and resume them."""
    store = RunStore(f"sqlite:///{artifacts / 'lab.db'}")
    runner = Runner(store, artifacts)
    found = Kills()
    while len(found.lost) < kills:
        seed = found.runs
        whole = follow(runner, enqueue(store, KILLED, seed), is_over)
        if whole.status != "finished":
            found.problems.append(f"the uninterrupted run with seed {seed} is {whole.status}: {whole.error}")
            break
        duration = (whole.ended or 0) - (whole.started or 0)
        run, found.kept = enqueue(store, KILLED, seed), 0
        for _ in range(min(KILLS_PER_RUN, kills - len(found.lost))):
            run = kill_once(runner, run, draw.uniform(0, duration), found)
            if run.status == "finished":
                break
            store.requeue(run.id)
        compare(runner, whole, follow(runner, run, is_over), found)
        found.runs += 1
    store.engine.dispose()
    return found


def kill_once(runner: Runner, run: Run, after_s: float, found: Kills) -> Run:
    """Kill the run's process that long after its start and look at what is left; nothing if it was over by then."""
    run = follow(runner, run, has_process)
    time.sleep(after_s)
    process = find_process(runner.store.get(run.id))
    if process is not None:
        process.kill()
    run = follow(runner, run, is_over)
    if process is None:
        return run
    folder = runner.artifacts / run.id
    check_files(folder, found)
    # The log still has what earlier attempts did after the checkpoint, until this one begins to train.
    reached = max(steps_logged(runner.store, run, since=run.started or 0), default=0)
    lost = max(reached, found.kept) - kept_step(folder, found)
    found.at_step.append(reached)
    found.lost.append(lost)
    found.ends[run.status] += 1
    if run.status not in ("interrupted", "finished"):
        found.problems.append(f"{run.name} is {run.status} after a kill: {run.error}")
    print(f"kill {len(found.lost)}: {run.status} at step {reached}, {lost} to repeat", file=sys.stderr)
    return run


def kept_step(folder: Path, found: Kills) -> int:
    """The step that the run goes on from; 0 without a checkpoint that can be read."""
    path = folder / RESUME
    with suppress(Exception):  # check_files has named a damaged one
        found.kept = int(torch.load(path, weights_only=True)["step"]) if path.is_file() else 0
        return found.kept
    return 0


def check_files(folder: Path, found: Kills) -> None:
    """Read every file of a run; half-written temporary ones carry names that nobody reads."""
    for path in sorted(folder.rglob("*")):
        if path.name.startswith("."):
            found.left_over += path.name != RESERVE
        elif path.suffix in READERS:
            try:
                READERS[path.suffix](path)
            except Exception as error:  # whatever a damaged file makes a reader raise
                found.problems.append(f"{path.relative_to(folder.parent)} is damaged: {error}")
            found.files_read += 1


def compare(runner: Runner, whole: Run, run: Run, found: Kills) -> None:
    """Note where a run that was killed ended otherwise than the one that was left in peace."""
    if run.status != "finished":
        found.problems.append(f"{run.name} did not finish: {run.status}, {run.error}")
        return
    first, second = (load_file(runner.artifacts / each.id / WEIGHTS) for each in (whole, run))
    if first.keys() != second.keys() or any(not torch.equal(first[name], second[name]) for name in first):
        found.problems.append(f"{run.name} ended with other weights after its kills")
    if run.summary["test_correct"] != whole.summary["test_correct"]:
        found.problems.append(f"{run.name} scored otherwise after its kills")
    for each in (whole, run):
        if sorted(steps_logged(runner.store, each)) != list(range(1, STEPS_PER_EPOCH * EPOCHS + 1)):
            found.problems.append(f"the log of {each.name} misses or repeats steps")


def report_kills(report: Report, kills: int, draw: random.Random) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        artifacts = Path(folder)
        os.environ["CNNLAB_ARTIFACTS"] = folder  # the workers inherit it
        found = kill_runs(artifacts, kills, draw)
    worst = max(found.lost, default=0)
    in_training = sum(step > 0 for step in found.at_step)
    rows = [
        ("kills (SIGKILL)", len(found.lost)),
        ("of them after the first logged step of the attempt", in_training),
        ("runs they were spread over", found.runs),
        ("status afterwards", ", ".join(f"{name} {count}" for name, count in found.ends.items())),
        ("steps to repeat, worst", f"{worst} (an epoch has {STEPS_PER_EPOCH})"),
        ("steps to repeat, mean", f"{sum(found.lost) / max(1, len(found.lost)):.1f}"),
        ("files read after the kills", f"{found.files_read:,}"),
        ("temporary files seen", found.left_over),
        ("problems", len(found.problems)),
    ]
    report.sections.append(
        "## Kills\n\nLeNet on 2,000 built-in digits with rotation and averaged weights, 10 epochs of 40 steps; a kill "
        "comes at a random moment of the time a whole run takes, then the run is resumed; its end is compared bit for "
        "bit with that of a run left in peace, and its log step by step.\n\n"
        + table(("", ""), rows)
        + bullets(found.problems)
    )
    report.targets += [
        promise(f"{len(found.lost)} kills: runs lost, files damaged, ends that differ", found.problems),
        Target(
            name="work lost by a kill",
            required="≤ 1 epoch",
            measured=f"{worst} of {STEPS_PER_EPOCH} steps at worst",
            met=worst <= STEPS_PER_EPOCH,
        ),
    ]
    report.data["kills"] = vars(found)


# The queue


def queue_problems(runs: Sequence[Run], store: RunStore) -> list[str]:
    """Where the runs, in the order in which they were queued, were not carried out once each, in order, one by one."""
    problems = [f"{run.name} is {run.status}: {run.error}" for run in runs if run.status != "finished"]
    problems += [f"{run.name} was started {run.attempt} times" for run in runs if run.attempt != 1]
    whole = list(range(1, QUEUED_STEPS + 1))
    problems += [f"the log of {run.name} is not that of one run" for run in runs if steps_logged(store, run) != whole]
    problems += [
        f"{run.name} started before {before.name} had ended"
        for before, run in pairwise(runs)
        if (run.started or 0) < (before.ended or 0)
    ]
    return problems


def report_queue(report: Report, count: int, data: Path) -> None:
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store = RunStore(f"sqlite:///{Path(folder) / 'lab.db'}")
        ids = [enqueue(store, QUEUED, seed).id for seed in range(count)]
        runner = subprocess.Popen(
            (sys.executable, "-m", "cnncore", "runner", "--idle-exit", "5"),
            cwd=PROJECT_ROOT,
            env=lab_environment(Path(folder), data),
        )
        while runner.poll() is None:
            time.sleep(1)
        problems = queue_problems([store.get(run_id) for run_id in ids], store)
        store.engine.dispose()
    seconds = time.monotonic() - begin
    report.sections.append(
        f"## The queue\n\n{count} real runs (200 digits, one epoch of {QUEUED_STEPS} steps, a process each) waited in "
        f"the queue of one runner; {seconds:.0f} s, {seconds / count:.1f} s a run." + bullets(problems)
    )
    report.targets.append(promise(f"{count} queued runs: not once each, in order, one by one", problems))
    report.data["queue"] = {"runs": count, "seconds": round(seconds, 1), "problems": problems}


def promise(name: str, problems: Sequence[Any]) -> Target:
    return Target(name=name, required="0", measured=str(len(problems)), met=not problems)


def main() -> int:
    command_line = parser(__doc__)
    command_line.add_argument("--kills", type=int, default=100)
    command_line.add_argument("--runs", type=int, default=200)
    command_line.add_argument("--viewers", type=int, default=20)
    command_line.add_argument("--viewer-rounds", type=int, default=3)
    command_line.add_argument("--viewer-seconds", type=float, default=20.0, help="length of a round with viewers")
    command_line.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    arguments = command_line.parse_args()
    os.environ["CNNLAB_DATA"] = str(arguments.data)
    os.environ.pop("CNNLAB_DATABASE_URL", None)
    report = Report(name="stress", title="Stress")
    # Saved after each part, so that an hour's work is not lost with the last one.
    if arguments.kills:
        report_kills(report, arguments.kills, random.Random(arguments.seed))
        report.save(arguments.results)
    if arguments.runs:
        report_queue(report, arguments.runs, arguments.data)
        report.save(arguments.results)
    if arguments.viewers:
        rounds = viewers.measure(
            arguments.data, viewers=arguments.viewers, rounds=arguments.viewer_rounds, seconds=arguments.viewer_seconds
        )
        viewers.summarize(report, rounds)
        report.save(arguments.results)
    return int(any(target.met is False for target in report.targets))


if __name__ == "__main__":
    sys.exit(main())

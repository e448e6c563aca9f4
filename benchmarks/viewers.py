"""Twenty people watch one real run: what it costs the training, and how often each sees something new.

    python -m benchmarks.viewers [--viewers 20] [--rounds 3] [--seconds 20]

LeNet trains on MNIST in a process of its own; in turn nobody watches, then everybody. The viewers speak Streamlit's
protocol from this process, so what they do with the answers is taken from the same cores as the training.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.live_tick import Viewer, free_port, start_server, watch
from benchmarks.report import Report, Target, lab_environment, parser, spread, table
from cnncore.catalog import at_hand
from cnncore.config import TrainConfig, replace
from cnncore.places import PROJECT_ROOT
from cnncore.runs.runner import kill_tree, worker_environment
from cnncore.runs.store import Run, RunStore

MAX_SLOWDOWN = 0.15
MIN_UPDATES = 50
SETTLE_S = 3.0
START_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Round:
    """What was seen in one round; `server_percent` is of one core."""

    viewers: int
    images_per_s: float
    updates_a_minute: list[float]
    server_percent: float


@contextmanager
def real_run(store: RunStore, artifacts: Path, data: Path) -> Iterator[Run]:
    """LeNet on MNIST, in training, for as long as anybody looks."""
    settings = {"model.name": "lenet_tutorial", "data.dataset": "mnist", "training.device": "cpu"}
    config = replace(TrainConfig(), settings | {"training.batch_size": 256, "training.epochs": 2_000})
    run = store.create(config.model_dump(mode="json"), name="Watched", status="starting")
    worker = subprocess.Popen(
        (sys.executable, "-m", "cnncore.worker", run.id),
        cwd=PROJECT_ROOT,
        env=lab_environment(artifacts, data, worker_environment()),
        stdout=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + START_S
        while store.get(run.id).summary.get("step", 0) < 100:
            if worker.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"The run did not start: {store.get(run.id).error or 'it took too long'}.")
            time.sleep(0.2)
        yield store.get(run.id)
    finally:
        worker.kill()
        worker.wait()


def images_per_s(store: RunStore, run: Run, begin: float, end: float) -> float:
    """Images trained on a second between two moments, by the times in the log; evaluations included."""
    rows = [row for row in store.since(run.id, phases=("step",)).rows if begin <= row.time <= end]
    if len(rows) < 2:
        raise SystemExit("The run did not train while it was watched.")
    batch = TrainConfig.model_validate(run.config).training.batch_size
    return batch * (rows[-1].step - rows[0].step) / (rows[-1].time - rows[0].time)


async def watch_round(
    port: int, server: psutil.Process, store: RunStore, run: Run, count: int, seconds: float
) -> Round:
    """One round: `count` viewers open the run's page, then watch it together."""
    viewers = [Viewer() for _ in range(count)]
    opened = asyncio.Barrier(count + 1)
    watching = asyncio.gather(*(watch(port, run.id, viewer, seconds, opened) for viewer in viewers))
    await opened.wait()
    before, begin = server.cpu_times(), time.time()
    await asyncio.gather(watching, asyncio.sleep(seconds))
    after, end = server.cpu_times(), time.time()
    # The last steps reach the store a moment later, and the viewers' sessions need a moment to end.
    await asyncio.sleep(SETTLE_S)
    used_s = after.user + after.system - before.user - before.system
    return Round(
        viewers=count,
        images_per_s=images_per_s(store, run, begin, end),
        updates_a_minute=[60 * viewer.ticks / (end - begin) for viewer in viewers],
        server_percent=100 * used_s / (end - begin),
    )


def measure(data: Path, *, viewers: int, rounds: int, seconds: float) -> list[Round]:
    """Rounds without and with viewers in turn.

    Raises:
        SystemExit: where MNIST is not at hand.
    """
    if not at_hand("mnist", data):
        raise SystemExit("MNIST is not at hand; set CNNLAB_DATA to the folder that has it.")
    found: list[Round] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store = RunStore(f"sqlite:///{Path(folder) / 'lab.db'}")
        port = free_port()
        server = start_server(Path(folder), port)
        try:
            with real_run(store, Path(folder), data) as run:
                for count in [0, viewers] * rounds:
                    process = psutil.Process(server.pid)
                    found.append(asyncio.run(watch_round(port, process, store, run, count, seconds)))
                    print(json.dumps(vars(found[-1])), file=sys.stderr)
        finally:
            kill_tree(psutil.Process(server.pid))
            server.wait()
            store.engine.dispose()
    return found


def summarize(report: Report, rounds: list[Round]) -> None:
    """Add the table and the targets of the rounds to a report."""
    watched = [each for each in rounds if each.viewers]
    alone = [each for each in rounds if not each.viewers]
    count = watched[0].viewers
    rates = {0: [each.images_per_s for each in alone], count: [each.images_per_s for each in watched]}
    slowdown = 1 - statistics.median(rates[count]) / statistics.median(rates[0])
    updates = [updates for each in watched for updates in each.updates_a_minute]
    busy = {0: [each.server_percent for each in alone], count: [each.server_percent for each in watched]}
    rows = [
        (
            f"{number} viewers",
            f"{statistics.median(values):,.0f}",
            spread(values),
            f"{statistics.median(busy[number]):.0f} %",
            f"{statistics.median(updates):.0f} (worst {min(updates):.0f})" if number else "-",
        )
        for number, values in rates.items()
    ]
    header = ("", "training, images/s", "smallest–largest", "server, of a core", "updates a minute")
    report.sections.append(
        f"## {count} viewers of one real run\n\nLeNet on MNIST, batch 256; {len(watched)} rounds in turn, medians; the "
        "viewers' own work is on the same cores.\n\n" + table(header, rows)
    )
    report.targets += [
        Target(
            name=f"training slows with {count} viewers by",
            required=f"< {MAX_SLOWDOWN:.0%}",
            measured=f"{slowdown:.1%}",
            met=slowdown < MAX_SLOWDOWN,
        ),
        Target(
            name=f"updates a minute, worst of {count} viewers",
            required=f"≥ {MIN_UPDATES}",
            measured=f"{min(updates):.0f}",
            met=min(updates) >= MIN_UPDATES,
        ),
    ]
    report.data["viewer_rounds"] = [vars(each) for each in rounds]


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--viewers", type=int, default=20)
    command_line.add_argument("--rounds", type=int, default=3)
    command_line.add_argument("--seconds", type=float, default=20.0, help="length of one round")
    arguments = command_line.parse_args()
    os.environ.pop("CNNLAB_DATABASE_URL", None)
    report = Report(name="viewers", title="Watching a run")
    rounds = measure(arguments.data, viewers=arguments.viewers, rounds=arguments.rounds, seconds=arguments.seconds)
    summarize(report, rounds)
    report.save(arguments.results)


if __name__ == "__main__":
    main()

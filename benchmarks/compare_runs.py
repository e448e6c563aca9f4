"""What the Runs view of Compare costs the web server with a thousand runs of ten thousand steps in the store.

    python -m benchmarks.compare_runs [--runs 1000] [--steps 10000] [--repeats 8] [--store FOLDER]

A real server on such a store, and one visitor after the other who speaks Streamlit's WebSocket protocol as the browser
does: each opens the page by a link in a session of its own. The time is that from the request to the end of the script,
with all that is sent. Overlays name ten runs that nobody has looked at before, then the same ten again.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import websockets
from sqlalchemy import text
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.live_tick import free_port, start_server
from benchmarks.report import Report, Target, parser, quantile, table
from cnncore.config import replace
from cnncore.runs.runner import kill_tree
from cnncore.runs.store import RunStore
from cnncore.runs.tables import runs as runs_table
from tests import fake_runs

MAX_LIST_MS = 300.0
MAX_OVERLAY_MS = 500.0
MAX_SERVER_MB = 400.0
OVERLAID = 10
EPOCHS = 20
FINISHED = ForwardMsg.FINISHED_SUCCESSFULLY
_MODELS = ("lenet_tutorial", "lenet5", "cnn3", "resnet20")
_RATES = (1e-3, 3e-3, 1e-2, 3e-2)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One opening of the page: time by the clock, and what the server's processor worked on it."""

    what: str
    milliseconds: float
    cpu_milliseconds: float
    kilobytes: float


def fill(store: RunStore, folder: Path, num_runs: int, steps: int) -> list[str]:
    """Finished runs with full logs, tags and results, in groups of five seeds; returns their ids, oldest first."""
    template = fake_runs.open_run(store, folder, steps=steps, epochs=EPOCHS, name="Template")
    fake_runs.finish(store, folder, template)
    copied = text(
        'INSERT INTO metrics (run_id, phase, step, time, "values") '
        'SELECT :new, phase, step, time, "values" FROM metrics WHERE run_id = :old ORDER BY seq'
    )
    facts = store.get(template.id).summary
    ids: list[str] = []
    for number in range(num_runs - 1):
        group, seed = divmod(number, 5)
        config = replace(
            fake_runs.fake_config(EPOCHS),
            {
                "model.name": _MODELS[group % len(_MODELS)],
                "optimizer.lr": _RATES[group // len(_MODELS) % len(_RATES)],
                "training.batch_size": 16 + group // (len(_MODELS) * len(_RATES)),
                "training.seed": seed,
            },
        )
        run = store.create(config.model_dump(mode="json"), name=f"Run {number}", tags=["bench", f"round {number % 7}"])
        correct = 900 + (7 * number) % 90
        scored = {"test_accuracy": correct / 1_000, "test_correct": correct, "elapsed_s": 200.0 + number}
        with store.engine.begin() as db:
            db.execute(copied, {"new": run.id, "old": template.id})
            values = {"summary": json.dumps({**facts, **scored}), "status": "finished", "attempt": 1}
            db.execute(runs_table.update().where(runs_table.c.id == run.id).values(**values))
        ids.append(run.id)
    return ids


async def open_page(server: psutil.Process, port: int, what: str, query: str) -> Opened:
    """Open Compare by a link in a new session and wait until its script has ended."""
    address = f"ws://localhost:{port}/_stcore/stream"
    async with websockets.connect(address, subprotocols=[websockets.Subprotocol("streamlit")], max_size=None) as socket:
        request = BackMsg()
        request.rerun_script.query_string = query
        request.rerun_script.page_name = "compare"
        begin = time.perf_counter()
        used = server.cpu_times()
        await socket.send(request.SerializeToString())
        num_bytes = 0
        while True:
            data = await socket.recv()
            assert isinstance(data, bytes)
            num_bytes += len(data)
            message = ForwardMsg()
            message.ParseFromString(data)
            # The first script of a new server ends early: it learns of the app's pages.
            if message.WhichOneof("type") == "script_finished" and message.script_finished == FINISHED:
                break
        after = server.cpu_times()
        return Opened(
            what=what,
            milliseconds=1_000 * (time.perf_counter() - begin),
            cpu_milliseconds=1_000 * (after.user + after.system - used.user - used.system),
            kilobytes=num_bytes / 1_000,
        )


async def measure(server: psutil.Process, port: int, ids: Sequence[str], repeats: int) -> list[Opened]:
    """The list, a filtered list, and overlays of runs that were not looked at before, in turn."""
    found = [await open_page(server, port, "first page of a new server", "view=runs")]
    for number in range(repeats):
        chosen = ",".join(ids[number * OVERLAID : (number + 1) * OVERLAID])
        for what, query in (
            ("all runs", "view=runs"),
            ("filtered and sorted", "view=runs&model=cnn3&tag=round 3&sort=test"),
            ("ten runs, first time", f"view=runs&runs={chosen}"),
            ("ten runs, again", f"view=runs&runs={chosen}"),
            ("ten runs, every step", f"view=runs&runs={chosen}&images=both&steps=1&x=time&show=groups"),
        ):
            found.append(await open_page(server, port, what, query))
            print(json.dumps(vars(found[-1])), file=sys.stderr)
    return found


def summarize(report: Report, found: Sequence[Opened], server_mb: float, facts: str) -> None:
    """Add the table and the targets of the openings to a report."""
    kinds = list(dict.fromkeys(each.what for each in found))
    times = {kind: [each.milliseconds for each in found if each.what == kind] for kind in kinds}
    busy = {kind: [each.cpu_milliseconds for each in found if each.what == kind] for kind in kinds}
    sizes = {kind: [each.kilobytes for each in found if each.what == kind] for kind in kinds}
    rows = [
        (
            kind,
            len(times[kind]),
            f"{statistics.median(times[kind]):.0f}",
            f"{quantile(times[kind], 0.95):.0f}",
            f"{max(times[kind]):.0f}",
            f"{statistics.fmean(busy[kind]):.0f}",
            f"{statistics.median(sizes[kind]):,.0f}",
        )
        for kind in kinds
    ]
    header = ("opening", "times", "median, ms", "95 %, ms", "worst, ms", "processor, ms", "sent, kB")
    report.sections.append(f"{facts}\n\n" + table(header, rows) + f"\n\nServer memory afterwards: {server_mb:.0f} MB.")
    limits = {"all runs": MAX_LIST_MS, "filtered and sorted": MAX_LIST_MS}
    for kind in kinds[1:]:
        limit = limits.get(kind, MAX_OVERLAY_MS)
        median = statistics.median(times[kind])
        report.targets.append(
            Target(
                name=f"Runs view, {kind}, median",
                required=f"< {limit:.0f} ms",
                measured=f"{median:.0f} ms",
                met=median < limit,
            )
        )
    report.targets.append(
        Target(
            name="server memory",
            required=f"< {MAX_SERVER_MB:.0f} MB",
            measured=f"{server_mb:.0f} MB",
            met=server_mb < MAX_SERVER_MB,
        )
    )
    report.data["openings"] = [vars(each) for each in found]
    report.data["server_mb"] = server_mb


def carry_out(report: Report, folder: Path, num_runs: int, steps: int, repeats: int) -> None:
    """Fill a store, or take the one that lies there, and measure."""
    store = RunStore(f"sqlite:///{folder / 'lab.db'}")
    begin = time.perf_counter()
    ids = [run.id for run in reversed(store.list())][1:]
    written = "found as they were"
    if not ids:
        ids = fill(store, folder, num_runs, steps)
        written = f"written in {time.perf_counter() - begin:.0f} s"
    size_gb = (folder / "lab.db").stat().st_size / 1e9
    store.engine.dispose()
    facts = f"{len(ids) + 1:,} runs with {steps:,} steps each: {size_gb:.1f} GB in SQLite, {written}."
    port = free_port()
    server = start_server(folder, port)
    try:
        process = psutil.Process(server.pid)
        found = asyncio.run(measure(process, port, ids, min(repeats, len(ids) // OVERLAID)))
        server_mb = process.memory_info().rss / 1e6
    finally:
        kill_tree(psutil.Process(server.pid))
        server.wait()
    summarize(report, found, server_mb, facts)


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--runs", type=int, default=1_000)
    command_line.add_argument("--steps", type=int, default=10_000)
    command_line.add_argument("--repeats", type=int, default=8)
    command_line.add_argument("--store", type=Path, help="folder to keep the store in, or that has one")
    arguments = command_line.parse_args()
    report = Report(name="compare_runs", title="The Runs view with a thousand runs")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.store or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        carry_out(report, folder, arguments.runs, arguments.steps, arguments.repeats)
    report.save(arguments.results)


if __name__ == "__main__":
    main()

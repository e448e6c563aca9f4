"""What watching a run costs the web server: processor time a tick and updates a minute, with 1 and with 20 viewers.

    python -m benchmarks.live_tick [--viewers 1 20] [--steps 10000] [--seconds 15]

A real server, a run in a store of its own that gains 40 rows a second, and viewers that speak Streamlit's WebSocket
protocol as the browser does: first the page, then its live fragment once a second.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.report import Report, Target, parser, table
from cnncore.places import PROJECT_ROOT
from cnncore.runs.events import Row
from cnncore.runs.store import Run, RunStore
from tests import fake_runs

ROWS_A_SECOND = 40
MAX_TICK_MS = 20.0


@dataclass
class Viewer:
    """What one viewer has seen; times in seconds."""

    opened_s: float = 0.0
    ticks: int = 0
    num_bytes: int = 0
    delays_s: list[float] = field(default_factory=list)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_server(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the app on a store of its own and wait until it answers."""
    arguments = ("-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.fileWatcherType", "none")
    environment = {**os.environ, "CNNLAB_ARTIFACTS": str(folder)}
    environment.pop("CNNLAB_DATABASE_URL", None)
    server = subprocess.Popen(
        (sys.executable, *arguments), cwd=PROJECT_ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=sys.stderr
    )
    for _ in range(300):
        time.sleep(0.1)
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health") as answer:
                if answer.status == 200:
                    return server
        except OSError:
            continue
    server.kill()
    raise SystemExit("The server did not start.")


async def receive(socket_: websockets.ClientConnection, viewer: Viewer) -> ForwardMsg:
    data = await socket_.recv()
    assert isinstance(data, bytes)
    viewer.num_bytes += len(data)
    message = ForwardMsg()
    message.ParseFromString(data)
    return message


async def watch(port: int, run_id: str, viewer: Viewer, seconds: float, opened: asyncio.Barrier) -> None:
    """Open the run's page, then, when all have it, run its live fragment every second like the browser's timer."""
    address = f"ws://localhost:{port}/_stcore/stream"
    async with websockets.connect(address, subprotocols=[websockets.Subprotocol("streamlit")], max_size=None) as server:
        asked = time.monotonic()
        await server.send(_request(run_id))
        fragment, interval = "", 1.0
        while True:
            message = await receive(server, viewer)
            kind = message.WhichOneof("type")
            if kind == "auto_rerun" and message.auto_rerun.interval <= 1.0:
                fragment, interval = message.auto_rerun.fragment_id, message.auto_rerun.interval
            if kind == "script_finished" and fragment:
                break
        viewer.opened_s = time.monotonic() - asked
        await opened.wait()
        viewer.num_bytes = 0
        begin = due = time.monotonic()
        while time.monotonic() - begin < seconds:
            due += interval
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked = time.monotonic()
            await server.send(_request(run_id, fragment))
            while (await receive(server, viewer)).WhichOneof("type") != "script_finished":
                pass
            viewer.delays_s.append(time.monotonic() - asked)
            viewer.ticks += 1


def _request(run_id: str, fragment: str = "") -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = f"run={run_id}"
    message.rerun_script.page_name = "train"
    if fragment:
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = True
    return message.SerializeToString()


async def log_on(store: RunStore, run: Run, steps: int) -> None:
    """Add rows in real time, as a worker does three times a second."""
    step = steps
    while True:
        await asyncio.sleep(1 / 3)
        rows = [
            Row(phase="step", step=number, values={"loss": 0.1, "lr": 1e-3, "epoch": number / 1_000, "grad_norm": 0.5})
            for number in range(step + 1, step + 1 + ROWS_A_SECOND // 3)
        ]
        step += len(rows)
        await asyncio.to_thread(store.log, run.id, rows, {**run.summary, "step": step, "total_steps": 2 * steps})


async def measure(
    port: int, process: psutil.Process, store: RunStore, run: Run, arguments: Namespace
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    writer = asyncio.create_task(log_on(store, run, arguments.steps))
    for count in arguments.viewers:
        viewers = [Viewer() for _ in range(count)]
        opened = asyncio.Barrier(count + 1)
        watching = asyncio.gather(*(watch(port, run.id, viewer, arguments.seconds, opened) for viewer in viewers))
        await opened.wait()
        before = process.cpu_times()
        begin = time.monotonic()
        await watching
        after, wall_s = process.cpu_times(), time.monotonic() - begin
        ticks = sum(viewer.ticks for viewer in viewers)
        used_s = after.user + after.system - before.user - before.system
        delays = sorted(delay for viewer in viewers for delay in viewer.delays_s)
        report = {
            "viewers": count,
            "steps": arguments.steps,
            "cpu_ms_a_tick": round(1000 * used_s / ticks, 1),
            "cpu_percent_of_a_core": round(100 * used_s / wall_s, 1),
            "kb_a_tick": round(sum(viewer.num_bytes for viewer in viewers) / ticks / 1000, 1),
            "updates_a_minute_worst": round(60 * min(viewer.ticks for viewer in viewers) / arguments.seconds),
            "tick_ms_median": round(1000 * delays[len(delays) // 2], 1),
            "tick_ms_p95": round(1000 * delays[int(0.95 * len(delays))], 1),
            "opened_s_worst": round(max(viewer.opened_s for viewer in viewers), 2),
            "server_mb": round(process.memory_info().rss / 1e6),
        }
        print(json.dumps(report), flush=True)
        found.append(report)
    writer.cancel()
    return found


def summarize(report: Report, found: list[dict[str, Any]]) -> None:
    report.sections.append(
        table([name.replace("_", " ") for name in found[0]], [list(each.values()) for each in found])
    )
    report.targets += [
        Target(
            name=f"processor time of a live tick, {each['viewers']} viewers",
            required=f"≤ {MAX_TICK_MS:g} ms",
            measured=f"{each['cpu_ms_a_tick']} ms",
            met=each["cpu_ms_a_tick"] <= MAX_TICK_MS,
        )
        for each in found
    ]
    report.data["ticks"] = found


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--viewers", type=int, nargs="+", default=[1, 20])
    command_line.add_argument("--steps", type=int, default=10_000)
    command_line.add_argument("--seconds", type=float, default=15.0)
    arguments = command_line.parse_args()
    report = Report(name="live_tick", title="What watching a run costs the web server")
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(f"sqlite:///{Path(folder) / 'lab.db'}")
        run = fake_runs.open_run(store, Path(folder), steps=arguments.steps, epochs=10)
        port = free_port()
        server = start_server(Path(folder), port)
        try:
            found = asyncio.run(measure(port, psutil.Process(server.pid), store, run, arguments))
        finally:
            server.terminate()
            server.wait()
    summarize(report, found)
    report.save(arguments.results)


if __name__ == "__main__":
    main()

"""What a newcomer waits for, in Chromium on a fresh server with fresh folders, and what it takes of the memory.

    python -m benchmarks.first_minute [--repeats 5] [--no-worker | --worker-images 2000]

From `streamlit run` to the first page; from the click on "LeNet in 20 seconds" to the first point on the chart and to
the test accuracy; from a step's time in the store to the moment the chart has it (looked at every 50 ms); the server's
memory with every page visited; the peak of a worker on all of CIFAR-10.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from benchmarks.live_tick import free_port
from benchmarks.report import Report, Target, lab_environment, parser, quantile, spread, table
from cnncore.catalog import at_hand
from cnncore.places import PROJECT_ROOT
from cnncore.runs.runner import kill_tree, worker_environment
from cnncore.runs.store import RunStore

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_MS = 90_000
READY = "[data-testid='stApp'][data-test-script-state='notRunning']"

_FIRST_PAGE = f"""() => document.querySelector("{READY}")
  && [...document.querySelectorAll('button')].some((button) => button.textContent.includes('Start training'))"""
"""Looked at in every frame; Playwright's own waiting looks twice a second once it has waited for a second."""

_NOTE_STEPS = """() => {
  window.labDrawn = [];
  let seen;
  setInterval(() => {
    const chart = document.querySelector('.js-plotly-plot');
    const packed = chart?.data?.find((trace) => trace.name === 'training')?.x?.bdata;
    if (!packed || packed === seen) return;
    seen = packed;
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    window.labDrawn.push([Date.now() / 1000, new Float32Array(bytes.buffer).at(-1)]);
  }, 50);
}"""
"""Notes when the loss chart, the first on the page, has got which last step."""


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One newcomer's times in seconds, and the server afterwards."""

    first_run_s: float
    first_point_s: float
    test_accuracy_s: float
    delays_s: list[float] = field(repr=False)
    server_mb: float
    loads_torch: bool
    pages: list[str]


class LostError(Exception):
    """A journey did not reach its end."""


@contextmanager
def fresh_server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """The app on empty folders: its address, its process, and when it was started; it does not wait for anything."""
    port = free_port()
    environment = lab_environment(folder / "runs", folder / "data") | {"CNNLAB_SERVICE_IDLE_S": "30"}
    command = (sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port))
    with (folder / "server.log").open("wb") as log:
        begin = time.time()
        server = subprocess.Popen(
            (*command, "--server.headless", "true"), cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            yield f"http://localhost:{port}", server, begin
        finally:
            kill_tree(psutil.Process(server.pid))
            server.wait()


def wait_until_up(url: str) -> None:
    end = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise SystemExit("The server did not start.")


def travel(browser: Browser) -> Journey:
    """One journey from an empty folder to the test accuracy, then through all pages.

    Raises:
        LostError: if something that should have appeared never did, with what the browser reported.
    """
    context = browser.new_context(viewport={"width": 1_300, "height": 1_100})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        return walk(page)
    except PlaywrightTimeoutError as error:
        raise LostError(f"{error.message.splitlines()[0]} {'; '.join(errors) or 'no error on the page'}.") from error
    finally:
        context.close()


def walk(page: Page) -> Journey:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, fresh_server(Path(folder)) as started:
        url, server, begin = started
        wait_until_up(url)
        page.goto(url)
        page.wait_for_function(_FIRST_PAGE)
        first_run_s = time.time() - begin
        button = page.get_by_role("button", name="Start training")
        page.evaluate(_NOTE_STEPS)
        clicked = time.time()
        button.click()
        page.wait_for_function("window.labDrawn.length > 0")
        page.get_by_text("Test accuracy", exact=True).wait_for()
        scored = time.time()
        page.wait_for_timeout(1_500)
        drawn: list[tuple[float, float]] = [(at, step) for at, step in page.evaluate("window.labDrawn")]
        store = RunStore(f"sqlite:///{Path(folder) / 'runs' / 'lab.db'}")
        run = store.list()[0]
        logged = {row.step: row.time for row in store.since(run.id, phases=("step",)).rows}
        store.engine.dispose()
        visited = visit_pages(page, url, run.id)
        memory = psutil.Process(server.pid).memory_info().rss / 1e6
        maps = Path(f"/proc/{server.pid}/maps")
        loads_torch = maps.exists() and "libtorch" in maps.read_text()
    return Journey(
        first_run_s=first_run_s,
        first_point_s=drawn[0][0] - clicked,
        test_accuracy_s=scored - clicked,
        delays_s=delays(drawn, logged),
        server_mb=memory,
        loads_torch=loads_torch,
        pages=visited,
    )


def delays(drawn: Sequence[tuple[float, float]], logged: dict[int, float]) -> list[float]:
    """Seconds from each step's time in the store to the first look at the chart that had it, for every step."""
    found: list[float] = []
    for (_, before), (at, last) in pairwise([(0.0, 0.0), *drawn]):
        found += [at - logged[step] for step in range(int(before) + 1, int(last) + 1) if step in logged]
    return found


def visit_pages(page: Page, url: str, run_id: str) -> list[str]:
    """Look at every page file and at the run until nothing runs any more."""
    names = sorted(path.stem for path in (PROJECT_ROOT / "pages").glob("*.py") if path.stem != "__init__")
    addresses = ["/" if name == "home" else f"/{name}" for name in names]
    for address in (*addresses, f"/train?run={run_id}"):
        page.goto(f"{url}{address}")
        page.wait_for_selector(READY)
        page.wait_for_timeout(2_000)
    return addresses


def worker_peak_mb(data: Path, images: int | None) -> float | None:
    """Peak memory of a process that trains ResNet-20 on CIFAR-10 for an epoch and scores it; None without CIFAR-10.

    Args:
        data: Folder of the data sets.
        images: How many images are trained on, None for all of them.
    """
    if not at_hand("cifar10", data):
        return None
    command = (sys.executable, "-m", "cnncore", "train", "--preset", "resnet20_cifar10", "--epochs", "1", "--json")
    command += ("--set", f"data.train_images={images or 'none'}")
    with tempfile.TemporaryDirectory() as folder:
        environment = lab_environment(Path(folder), data, worker_environment())
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("The worker on CIFAR-10 failed.")
    # Linux counts in KiB, macOS in bytes.
    return used.ru_maxrss * (1024 if sys.platform == "linux" else 1) / 1e6


def summarize(report: Report, journeys: Sequence[Journey]) -> None:
    """The table and the targets: medians over the journeys, worst values for what must never be exceeded."""
    waited = {
        "`streamlit run` to the first script run done": ([each.first_run_s for each in journeys], 3.0),
        "click on LeNet in 20 seconds to the first point": ([each.first_point_s for each in journeys], 6.0),
        "click to the test accuracy": ([each.test_accuracy_s for each in journeys], 20.0),
        "step to chart, median": ([quantile(each.delays_s, 0.5) for each in journeys], 1.5),
        "step to chart, 95th percentile": ([quantile(each.delays_s, 0.95) for each in journeys], 2.5),
    }
    rows = [(name, f"{statistics.median(values):.2f} s", spread(values, ".2f")) for name, (values, _) in waited.items()]
    report.targets += [
        Target(name=name, required=f"≤ {most:g} s", measured=row[1], met=statistics.median(values) <= most)
        for (name, (values, most)), row in zip(waited.items(), rows, strict=True)
    ]
    memory = [each.server_mb for each in journeys]
    rows.append(("server, every page visited", f"{statistics.median(memory):.0f} MB", spread(memory)))
    torch = any(each.loads_torch for each in journeys)
    report.targets += [
        Target(
            name="web server's memory, every page visited",
            required="< 250 MB",
            measured=f"{max(memory):.0f} MB",
            met=max(memory) < 250,
        ),
        Target(
            name="libtorch in the web server's memory map",
            required="no",
            measured="yes" if torch else "no",
            met=not torch if sys.platform == "linux" else None,
        ),
    ]
    report.sections.append(
        f"Chromium, running already, and the server share the machine; n = {len(journeys)} journeys, each on a fresh "
        f"server with empty folders; {sum(len(each.delays_s) for each in journeys):,} steps timed; pages visited: "
        f"{', '.join(journeys[0].pages)} and the run's.\n\n" + table(("", "median", "smallest–largest"), rows)
    )
    report.data["journeys"] = [asdict(each) for each in journeys]


def add_worker(report: Report, data: Path, images: int | None) -> None:
    """The peak of a worker; a promise is kept only on all of CIFAR-10."""
    peak_mb = report.data["worker_peak_mb"] = worker_peak_mb(data, images)
    how_many = f"{images:,} images" if images else "all"
    report.targets.append(
        Target(
            name=f"peak memory of a worker on {how_many} of CIFAR-10 (ResNet-20, one epoch, batch 128)",
            required="< 1,500 MB",
            measured=f"{peak_mb:,.0f} MB" if peak_mb else "CIFAR-10 is not at hand",
            met=peak_mb < 1_500 if peak_mb and not images else None,
        )
    )


def measure(arguments: Namespace) -> tuple[list[Journey], list[str]]:
    """The journeys that reached their end, and why the others did not."""
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        raise SystemExit("Chromium is not installed; this measurement needs it.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        journeys: list[Journey] = []
        lost: list[str] = []
        for number in range(arguments.repeats):
            try:
                journeys.append(travel(browser))
                print(f"journey {number + 1}: {journeys[-1]}", file=sys.stderr)
            except LostError as error:
                lost.append(str(error))
                print(f"journey {number + 1} was lost: {error}", file=sys.stderr)
        browser.close()
    return journeys, lost


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--repeats", type=int, default=5)
    command_line.add_argument("--no-worker", action="store_true", help="leave out the worker on CIFAR-10")
    command_line.add_argument("--worker-images", type=int, help="how many images it trains on, all if not given")
    arguments = command_line.parse_args()
    report = Report(name="first_minute", title="The first minute, and memory")
    journeys, lost = measure(arguments)
    report.data["lost"] = lost
    report.targets.append(
        Target(
            name=f"journeys of {arguments.repeats} that did not reach the test accuracy",
            required="0",
            measured=str(len(lost)),
            met=not lost,
        )
    )
    if lost:
        report.sections.append("Lost journeys:\n\n" + "\n".join(f"- {why}" for why in lost))
    if journeys:
        summarize(report, journeys)
    if not arguments.no_worker:
        add_worker(report, arguments.data, arguments.worker_images)
    report.save(arguments.results)


if __name__ == "__main__":
    main()

"""A real server on folders of its own, and Chromium; without Chromium the tests are skipped, in CI they fail."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from cnncore.places import PROJECT_ROOT
from cnncore.runs.store import RunStore

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
START_S = 60.0
PATIENCE_MS = 30_000
"""How long a page may take on a busy machine."""


@dataclass(frozen=True)
class Server:
    """The app at `url` with its store and folders."""

    url: str
    pid: int
    store: RunStore
    artifacts: Path

    def run_url(self, run_id: str) -> str:
        return f"{self.url}/train?run={run_id}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app as `streamlit run app.py` starts it."""
    folder = tmp_path_factory.mktemp("browser")
    artifacts = folder / "runs"
    places = {"CNNLAB_ARTIFACTS": str(artifacts), "CNNLAB_DATA": str(folder / "data")}
    environment = {**os.environ, **places}
    environment.pop("CNNLAB_DATABASE_URL", None)
    port = _free_port()
    command = (sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port))
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            (*command, "--server.fileWatcherType", "none"), cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log
        )
    url = f"http://localhost:{port}"
    try:
        _wait_for(url, process)
        store = RunStore(f"sqlite:///{artifacts / 'lab.db'}")
        yield Server(url, process.pid, store, artifacts)
        store.engine.dispose()
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed; in CI the browser tests must run.")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of its own, as another person would open it."""
    context = browser.new_context(viewport={"width": 1_300, "height": 1_100}, color_scheme="light")
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("The server did not start.")

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
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

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


class Server:
    """The app as `streamlit run app.py` starts it, on folders of its own; it can be killed and started again.

    Args:
        folder: Where its runs, data and log go.
    """

    def __init__(self, folder: Path) -> None:
        self.artifacts = folder / "runs"
        self.artifacts.mkdir(parents=True)
        self.store = RunStore(f"sqlite:///{self.artifacts / 'lab.db'}")
        self._log = folder / "server.log"
        self.data = folder / "data"
        self._places = {"CNNLAB_ARTIFACTS": str(self.artifacts), "CNNLAB_DATA": str(self.data)}
        self._port = _free_port()
        self.url = f"http://localhost:{self._port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def run_url(self, run_id: str) -> str:
        return f"{self.url}/train?run={run_id}"

    def start(self) -> None:
        environment = {**os.environ, **self._places}
        environment.pop("CNNLAB_DATABASE_URL", None)
        command = (sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self._port))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                (*command, "--server.fileWatcherType", "none"),
                cwd=PROJECT_ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        self._wait_until_up()

    def kill(self) -> None:
        """End the web server at once, as a crash would; runs and the runner go on."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the server and what it has left behind: the runner, runs, the service."""
        self.store.engine.dispose()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("CNNLAB_ARTIFACTS") == str(self.artifacts):
                    process.kill()
        self._process.wait()

    def _wait_until_up(self) -> None:
        end = time.monotonic() + START_S
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        pytest.fail("The server did not start.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server most tests share."""
    yield from _serve(tmp_path_factory.mktemp("browser"))


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A fresh server of one test."""
    yield from _serve(tmp_path / "browser")


def _serve(folder: Path) -> Iterator[Server]:
    server = Server(folder)
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed; in CI the browser tests must run.")
        pytest.skip("Chromium is not installed")
    expect.set_options(timeout=PATIENCE_MS)
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

"""The torch-free side of the service: asks it, starting it where needed, and reads answers that are already on disk."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from cnncore.answers import LOG, Answer, answer_cache, question_text, socket_path, unpack, unpack_error
from cnncore.errors import LabError
from cnncore.places import PROJECT_ROOT, artifacts_dir

TIMEOUT_S = 20.0
_ATTEMPTS = 5
"""How often a question is put where the service ends over it: it was idle, was killed, or this kills it.

One that is killed can take two: until its socket is closed, the question may be put to the same one again.
"""
_POLL_S = 0.02


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(
    name: str,
    request: Mapping[str, Any],
    *,
    timeout_s: float = TIMEOUT_S,
    before_start: Callable[[], None] = lambda: None,
) -> Answer:
    """Answer a question of `cnncore.questions.QUESTIONS`, from disk or by the service, which is started if needed.

    Args:
        name: Key of the table.
        request: What it asks for; see the question's function.
        timeout_s: Longest time to wait, a start of the service included.
        before_start: Called before the service has to be started, which takes seconds.

    Raises:
        LabError: if the question is unknown or impossible (then of the class that fits, such as ConfigError), or if
            the service does not answer in time.
    """
    known = cached(name, request)
    if known is not None:
        return known
    question = question_text(name, request)
    end = time.monotonic() + timeout_s
    for _ in range(_ATTEMPTS):
        try:
            _ensure(end, before_start)
            return _post(question, end)
        except TimeoutError:
            raise LabError(
                f"There was no answer within {timeout_s:g} s; the machine may be very busy.", "Try again in a moment."
            ) from None
        except (ConnectionError, FileNotFoundError, http.client.HTTPException):
            continue
    raise LabError("The background service ended while it was asked.", f"See {artifacts_dir() / LOG}.")


def cached(name: str, request: Mapping[str, Any]) -> Answer | None:
    """The answer if it is already on disk; needs no service and starts none."""
    content = answer_cache().read(question_text(name, request))
    return None if content is None else unpack(content)


def is_warm() -> bool:
    """Whether the service is up and has loaded what it needs, so that it answers at once; starts nothing."""
    try:
        return _request("GET", "/warm", b"", 1.0) == (200, b"warm")
    except (OSError, http.client.HTTPException):
        return False


def _request(method: str, path: str, body: bytes, timeout_s: float) -> tuple[int, bytes]:
    connection = _Connection(socket_path(), max(timeout_s, 0.01))
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _post(question: str, end: float) -> Answer:
    status, content = _request("POST", "/", question.encode(), end - time.monotonic())
    if status == 200:
        return unpack(content)
    if status == 422:
        raise unpack_error(content)
    raise ConnectionError(f"unexpected status {status}")


def _is_up() -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(socket_path()))
        except OSError:
            return False
        return True


def _ensure(end: float, before_start: Callable[[], None]) -> None:
    """Start the service unless it is up, and wait until it listens.

    Raises:
        LabError: if it ends at once.
        TimeoutError: if it does not listen in time.
    """
    if _is_up():
        return
    before_start()
    try:
        # One of many that ask at once starts it; the others find it up when their turn comes.
        with FileLock(socket_path().with_suffix(".start"), timeout=max(end - time.monotonic(), 0)):
            if _is_up():
                return
            child = _start()
            while not _is_up():
                if child.poll() is not None:
                    raise LabError("The background service does not start.", f"See {artifacts_dir() / LOG}.")
                if time.monotonic() > end:
                    raise TimeoutError
                time.sleep(_POLL_S)
    except Timeout:
        raise TimeoutError from None


def _start() -> subprocess.Popen[bytes]:
    artifacts_dir().mkdir(parents=True, exist_ok=True)
    with (artifacts_dir() / LOG).open("ab") as log:
        child = subprocess.Popen(
            (sys.executable, "-m", "cnncore.service"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=PROJECT_ROOT,
            start_new_session=True,
        )
    # Somebody must wait for it, or it stays behind as a zombie when it ends.
    threading.Thread(target=child.wait, daemon=True).start()
    return child

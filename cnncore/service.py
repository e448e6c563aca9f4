"""The service: one resident process that answers what needs torch but is not training, one question at a time.

    python -m cnncore.service [--idle-exit-s SECONDS]

`cnncore.ask` starts it; it listens on a Unix socket in a private folder, never on the network. Torch is imported in the
background once the socket is open. It ends by itself after five idle minutes (`CNNLAB_SERVICE_IDLE_S`), when the code
on disk has changed, and when a question takes too long, which no thread can be stopped from.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from filelock import FileLock, Timeout
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from cnncore.answers import (
    Cache,
    answer_cache,
    code_version,
    pack,
    pack_error,
    question_text,
    socket_path,
)
from cnncore.errors import LabError, lookup

if TYPE_CHECKING:
    from cnncore.questions import Question

IDLE_EXIT_S = 300.0
DEADLINE_S = 60.0
MAX_REQUEST_BYTES = 64 << 10
MAX_ANSWER_BYTES = 64 << 20
MAX_WAITING = 100
NICENESS = 10

_LOG = logging.getLogger(__name__)


def load_questions() -> Mapping[str, Question]:
    """Import torch and all that answers, and the table of it."""
    from cnncore.questions import QUESTIONS

    return QUESTIONS


def warm_up(questions: Mapping[str, Question]) -> None:
    """Import what torch imports, for over a second, when shapes without numbers are first asked for."""
    questions["profile"]({"model": {}, "in_shape": (1, 28, 28), "num_classes": 10, "batch_size": 1, "optimizer": "sgd"})


@dataclass(eq=False)
class _Job:
    """A question that is waited for; those who ask the same share it."""

    name: str
    asked: dict[str, Any]
    text: str
    waiting: int = 0
    started: bool = False
    task: asyncio.Task[Response] = field(init=False)


class Service:
    """Answers questions, one at a time, in one thread.

    Args:
        cache: Where answers are kept.
        load: Imports and returns the table of questions; called once in the background.
        warm: Prepares for later ones, after the question for whose sake the service was started.
        end: Called when the process should end.
        idle_exit_s: Seconds without a question after which it ends.
        deadline_s: Seconds a question may take.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        end: Callable[[], None],
        load: Callable[[], Mapping[str, Question]] = load_questions,
        warm: Callable[[Mapping[str, Question]], None] = lambda questions: None,
        idle_exit_s: float = IDLE_EXIT_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.cache = cache
        self.end = end
        self.load = load
        self.warm = warm
        self.idle_exit_s = idle_exit_s
        self.deadline_s = deadline_s
        self.questions: Mapping[str, Question] | None = None
        self._jobs: dict[str, _Job] = {}
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._last_used = time.monotonic()

    def app(self) -> Starlette:
        """The web application: `POST /` asks, `GET /warm` tells whether everything is loaded."""
        routes = [Route("/", self._ask, methods=["POST"]), Route("/warm", self._warm, methods=["GET"])]
        return Starlette(routes=routes, lifespan=self._live)

    @contextlib.asynccontextmanager
    async def _live(self, _: Starlette) -> AsyncIterator[None]:
        self._thread.submit(self._prepare)
        watch = asyncio.create_task(self._watch())
        yield
        watch.cancel()

    def _prepare(self) -> None:
        """Load everything at normal priority, since somebody waits for it."""
        try:
            self.questions = self.load()
        except Exception:
            _LOG.exception("loading failed")
            self.end()
        # Behind the question that waits already.
        self._thread.submit(self._step_back)

    def _step_back(self) -> None:
        """Behind training; what else may be needed is loaded meanwhile."""
        os.nice(NICENESS)
        try:
            if self.questions is not None:
                self.warm(self.questions)
        except Exception:
            _LOG.exception("warming up failed")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self.idle_exit_s / 2))
            idle = not self._jobs and time.monotonic() - self._last_used > self.idle_exit_s
            if idle or code_version() != self.cache.version:
                self.end()

    async def _warm(self, _: Request) -> Response:
        return Response("warm" if self.questions is not None else "loading")

    async def _ask(self, request: Request) -> Response:
        self._last_used = time.monotonic()
        try:
            name, asked = await _read(request)
            return await self._share(name, asked, request)
        except LabError as error:
            return _refusal(error)
        except ClientDisconnect:
            return Response(status_code=400)
        finally:
            self._last_used = time.monotonic()

    async def _share(self, name: str, asked: dict[str, Any], request: Request) -> Response:
        """Wait for the answer, or until the client goes away; a question nobody waits for any more is dropped."""
        job = self._job(name, asked)
        job.waiting += 1
        gone = asyncio.create_task(_disconnected(request))
        try:
            await asyncio.wait({job.task, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            job.waiting -= 1
        if job.task.done():
            return job.task.result()
        if job.waiting == 0 and not job.started:
            job.task.cancel()
            self._forget(job)
        return Response(status_code=499)

    def _job(self, name: str, asked: dict[str, Any]) -> _Job:
        text = question_text(name, asked)
        if text in self._jobs:
            return self._jobs[text]
        if len(self._jobs) >= MAX_WAITING:
            raise LabError("Too many questions are waiting already.", "Try again in a moment.")
        job = self._jobs[text] = _Job(name, asked, text)
        job.task = asyncio.create_task(self._take_turn(job))
        job.task.add_done_callback(lambda _: self._forget(job))
        return job

    def _forget(self, job: _Job) -> None:
        if self._jobs.get(job.text) is job:
            del self._jobs[job.text]

    async def _take_turn(self, job: _Job) -> Response:
        async with self._turn:
            job.started = True
            work = asyncio.get_running_loop().run_in_executor(self._thread, self._answer, job)
            try:
                return await asyncio.wait_for(work, self.deadline_s)
            except TimeoutError:
                _LOG.error("given up after %g s: %s", self.deadline_s, job.text)
                self.end()
                return _refusal(
                    LabError(f"This took longer than {self.deadline_s:g} s and was given up.", "Ask for less.")
                )

    def _answer(self, job: _Job) -> Response:
        """Compute an answer, or find the one that was kept since the client looked; runs in the thread."""
        try:
            content = self.cache.read(job.text) or self._compute(job)
            return Response(content, media_type="application/octet-stream")
        except LabError as error:
            return _refusal(error)
        except Exception:
            _LOG.exception("failed: %s", job.text)
            return _refusal(
                LabError("This could not be computed because of an error in the lab.", "The service's log has more.")
            )

    def _compute(self, job: _Job) -> bytes:
        if self.questions is None:
            raise LabError("The background service could not load what it needs.", "The service's log has more.")
        answer = lookup(self.questions, job.name, "question")(job.asked)
        content = pack(answer)
        if len(content) > MAX_ANSWER_BYTES:
            raise LabError(f"The answer has {len(content) >> 20} MiB, more than can be sent.", "Ask for less.")
        if answer.lasting:
            self.cache.write(job.text, content)
        return content


async def _read(request: Request) -> tuple[str, dict[str, Any]]:
    """The question in a request's body.

    Raises:
        LabError: if it is too long or no question.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_REQUEST_BYTES:
            raise LabError(f"The request is longer than {MAX_REQUEST_BYTES:,} bytes.")
    try:
        question = json.loads(body)
    except (ValueError, RecursionError):
        raise LabError("The request is not JSON.") from None
    if isinstance(question, dict):
        fields = cast("dict[str, Any]", question)
        name, asked = fields.get("name"), fields.get("request")
        if fields.keys() == {"name", "request"} and isinstance(name, str) and isinstance(asked, dict):
            return name, cast("dict[str, Any]", asked)
    raise LabError("The request is not an object with a name and a request.")


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _refusal(error: LabError) -> Response:
    return Response(pack_error(error), status_code=422, media_type="application/json")


def listen(path: Path) -> socket.socket:
    """A socket that listens at `path`, in place of whatever a service that was killed has left there."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen(512)
    return listening


def serve(path: Path, *, idle_exit_s: float = IDLE_EXIT_S) -> bool:
    """Be the service at `path` until idle; returns False where another one is and stays."""
    try:
        with FileLock(path.with_suffix(".lock"), timeout=5):
            server: uvicorn.Server

            def end() -> None:
                server.should_exit = True

            service = Service(answer_cache(), end=end, warm=warm_up, idle_exit_s=idle_exit_s)
            config = uvicorn.Config(
                service.app(),
                http="h11",
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=2,
            )
            server = uvicorn.Server(config)
            server.run(sockets=[listen(path)])
            return True
    except Timeout:
        return False


def main() -> None:
    """Serve as told on the command line."""
    parser = argparse.ArgumentParser(prog="python -m cnncore.service", description=__doc__)
    idle_exit_s = float(os.environ.get("CNNLAB_SERVICE_IDLE_S") or IDLE_EXIT_S)
    parser.add_argument("--idle-exit-s", type=float, default=idle_exit_s, help="end after so many seconds unasked")
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    # More threads would be taken from training, and gain nothing on networks without data.
    os.environ["OMP_NUM_THREADS"] = "1"
    serve(socket_path(), idle_exit_s=options.idle_exit_s)
    logging.shutdown()
    # Not sys.exit, which would wait for a question that takes too long.
    os._exit(0)


if __name__ == "__main__":
    main()

"""The service in this process with questions of our own, over its real socket."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn

from cnncore import answers, service
from cnncore.answers import Answer, Cache, answer_cache, code_version, pack, question_text, socket_path, unpack
from cnncore.ask import ask, cached, is_warm
from cnncore.errors import ConfigError, DataError, LabError
from cnncore.places import PROJECT_ROOT
from cnncore.service import Service, listen

Serve = Callable[..., "Running"]


class Running:
    """A service in a thread, and what its questions noted."""

    def __init__(self, *, wait: bool = True, **options: Any) -> None:
        self.notes: list[Any] = []
        self.hold = threading.Event()
        self.ended = threading.Event()
        table = {"square": self._square, "wait": self._wait, "fail": self._fail, "now": self._now}
        self.service = Service(answer_cache(), **{"load": lambda: table, "end": self.ended.set, **options})
        self.server = uvicorn.Server(
            uvicorn.Config(
                self.service.app(), http="h11", ws="none", lifespan="on", log_level="critical", timeout_keep_alive=1
            )
        )
        listening = listen(socket_path())
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]})
        self.thread.start()
        if wait:
            wait_until(is_warm)

    def close(self) -> None:
        self.hold.set()
        self.server.should_exit = True
        self.thread.join()

    def _square(self, asked: dict[str, Any]) -> Answer:
        self.notes.append(asked["number"])
        time.sleep(0.05)
        return Answer({"number": asked["number"] ** 2}, {"row": np.arange(3, dtype=np.uint8)})

    def _wait(self, asked: dict[str, Any]) -> Answer:
        self.notes.append(asked["label"])
        self.hold.wait(10)
        return Answer({})

    def _fail(self, asked: dict[str, Any]) -> Answer:
        problems = {
            "config": ConfigError("model.width", "It is too wide.", "Try 2."),
            "data": DataError("The file is broken."),
        }
        raise problems.get(asked["how"], ZeroDivisionError("secret detail"))

    def _now(self, asked: dict[str, Any]) -> Answer:
        self.notes.append("now")
        return Answer({"time": time.time()}, lasting=False)


def wait_until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    # This process has tests to run after these.
    monkeypatch.setattr(os, "nice", lambda _: 0)
    running: list[Running] = []

    def start(**options: Any) -> Running:
        running.append(Running(**options))
        return running[-1]

    yield start
    for each in running:
        each.close()


def send(content: bytes, *, leave: bool) -> bytes:
    """What the service replies to raw bytes; who leaves says that nothing more will come."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(socket_path()))
        try:
            client.sendall(content)
            if leave:
                client.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: client.recv(65_536), b""))
        except (BrokenPipeError, ConnectionResetError):
            return b""


def post(body: bytes) -> tuple[bytes, dict[str, Any]]:
    head = b"POST / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    reply, _, content = send(head + body, leave=False).partition(b"\r\n\r\n")
    return reply.split(b"\r\n")[0], json.loads(content)


def test_an_answer_brings_values_and_arrays(serve: Serve) -> None:
    serve()
    answer = ask("square", {"number": 7})
    assert answer.data == {"number": 49}
    np.testing.assert_array_equal(answer.arrays["row"], np.arange(3, dtype=np.uint8))
    assert answer.arrays["row"].dtype == np.uint8


def test_twenty_who_ask_the_same_share_one_computation(serve: Serve) -> None:
    running = serve()
    with ThreadPoolExecutor(21) as pool:
        first = pool.submit(ask, "wait", {"label": "first"})
        wait_until(lambda: running.notes)
        asked = [pool.submit(ask, "now", {}) for _ in range(20)]
        wait_until(lambda: any(job.waiting == 20 for job in running.service._jobs.values()))
        running.hold.set()
        first.result()
        assert len({each.result().data["time"] for each in asked}) == 1
    assert running.notes == ["first", "now"]


def test_a_lasting_answer_is_kept_and_another_is_not(serve: Serve) -> None:
    running = serve()
    ask("square", {"number": 4})
    ask("now", {})
    ask("now", {})
    assert running.notes == [4, "now", "now"]
    running.close()
    assert cached("now", {}) is None
    kept = cached("square", {"number": 4})
    assert kept is not None
    assert kept.data == {"number": 16}
    assert ask("square", {"number": 4}).data == {"number": 16}
    assert not is_warm()


def test_the_question_it_was_started_for_comes_before_what_later_ones_need(serve: Serve) -> None:
    order: list[str] = []
    loading = threading.Event()

    def answer(_: dict[str, Any]) -> Answer:
        order.append("answer")
        return Answer({})

    def load() -> dict[str, Any]:
        assert loading.wait(10)
        return {"first": answer}

    running = serve(wait=False, load=load, warm=lambda questions: order.append(f"warm {list(questions)}"))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, "first", {})
        wait_until(lambda: running.service._thread._work_queue.qsize() == 1)
        loading.set()
        asked.result()
    wait_until(lambda: len(order) == 2)
    assert order == ["answer", "warm ['first']"]


def test_errors_come_back_as_themselves(serve: Serve) -> None:
    serve()
    with pytest.raises(ConfigError) as config:
        ask("fail", {"how": "config"})
    assert (config.value.field, config.value.message, config.value.hint) == (
        "model.width",
        "It is too wide.",
        "Try 2.",
    )
    with pytest.raises(DataError, match="The file is broken"):
        ask("fail", {"how": "data"})
    with pytest.raises(LabError, match="error in the lab") as unexpected:
        ask("fail", {"how": "otherwise"})
    assert "secret" not in str(unexpected.value)


def test_an_unknown_question_is_named(serve: Serve) -> None:
    serve()
    with pytest.raises(LabError, match=r"no question named 'squares'.*Did you mean square"):
        ask("squares", {})


def test_what_json_cannot_hold_is_refused_without_a_service() -> None:
    with pytest.raises(LabError, match="cannot be sent"):
        ask("square", {"number": object()})
    with pytest.raises(LabError, match="cannot be sent"):
        ask("square", {"number": float("nan")})


def test_a_question_nobody_waits_for_any_more_is_dropped(serve: Serve) -> None:
    running = serve()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, "wait", {"label": "first"})
        wait_until(lambda: running.notes)
        with pytest.raises(LabError, match=r"no answer within 0.2 s"):
            ask("wait", {"label": "gone"}, timeout_s=0.2)
        wait_until(lambda: len(running.service._jobs) == 1)
        running.hold.set()
        first.result()
    ask("wait", {"label": "last"})
    assert running.notes == ["first", "last"]


def test_what_takes_too_long_is_given_up_and_the_service_ends(serve: Serve) -> None:
    running = serve(deadline_s=0.2)
    with pytest.raises(LabError, match=r"longer than 0.2 s"):
        ask("wait", {"label": "long"})
    assert running.ended.is_set()


def test_it_ends_when_idle_but_not_while_it_works(serve: Serve) -> None:
    running = serve(idle_exit_s=0.4)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, "wait", {"label": "long"})
        time.sleep(1)
        assert not running.ended.is_set()
        running.hold.set()
        asked.result()
    wait_until(running.ended.is_set)


def test_it_ends_when_the_code_has_changed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    running = serve()
    monkeypatch.setattr(service, "code_version", lambda: "newer")
    wait_until(running.ended.is_set)


HOSTILE = {
    "no HTTP": b"\x00\xff\x13\x37" * 5_000,
    "half a request": b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
    "endless header": b"GET /warm HTTP/1.1\r\nX: " + b"a" * 200_000,
    "negative length": b"POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: -5\r\n\r\n",
    "unknown path": b"GET /../../etc/passwd HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n",
    "wrong method": b"DELETE / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n",
    "upgrade": b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.filterwarnings("ignore:Unsupported upgrade request")
def test_hostile_bytes_do_not_end_it(serve: Serve) -> None:
    serve()
    for content in HOSTILE.values():
        assert b" 200 " not in send(content, leave=True)[:20]
    assert ask("square", {"number": 5}).data == {"number": 25}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b"null", "not an object"),
        (b'{"name": "square"}', "not an object"),
        (b'{"name": ["square"], "request": {}}', "not an object"),
        (b'{"name": "square", "request": []}', "not an object"),
        (b'{"name": "square", "request": {}, "more": 1}', "not an object"),
        (b'{"name": "square", "request": {"number": NaN}}', "cannot be sent"),
        (b'{"name": "square", "request": {"number": {"a": 1}}}', "error in the lab"),
        (b'{"name": "__class__", "request": {}}', "no question named"),
        (b'{"name": "' + b"x" * 100_000 + b'", "request": {}}', "longer than 65,536 bytes"),
    ],
)
def test_a_wrong_body_gets_one_sentence(serve: Serve, body: bytes, words: str) -> None:
    serve()
    status, error = post(body)
    assert b" 422 " in status
    assert words in error["message"]
    assert ask("square", {"number": 5}).data == {"number": 25}


def test_what_a_killed_service_left_is_replaced(serve: Serve) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(socket_path()))
    left.close()
    assert not is_warm()
    serve()
    assert ask("square", {"number": 2}).data == {"number": 4}


def test_an_idle_process_ends_by_itself(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "cnncore.service", "--idle-exit-s", "0.3")
    ended = subprocess.run(command, cwd=PROJECT_ROOT, timeout=30, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_socket_lies_where_only_this_user_can_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert socket_path().parent.stat().st_mode & 0o777 == 0o700
    assert len(str(socket_path())) < 100
    monkeypatch.setattr(answers.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(answers, "_MAX_TEMP_PATH", 1_000)
    foreign = tmp_path / f"cnnlab-{os.getuid()}"
    foreign.mkdir(mode=0o755)
    with pytest.raises(LabError, match="not a private folder"):
        socket_path()
    foreign.rmdir()
    foreign.symlink_to(tmp_path)
    with pytest.raises(LabError, match="not a private folder"):
        socket_path()


def test_the_socket_depends_on_the_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = socket_path()
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "other"))
    assert socket_path() != before


def test_the_code_version_follows_every_change(tmp_path: Path) -> None:
    package = tmp_path / "cnncore" / "deep"
    package.mkdir(parents=True)
    (package / "module.py").write_text("a = 1")
    first = code_version(tmp_path)
    assert code_version(tmp_path) == first
    (package / "module.py").write_text("a = 22")
    second = code_version(tmp_path)
    (package / "other.py").write_text("")
    assert len({first, second, code_version(tmp_path)}) == 3


class TestCache:
    def test_a_damaged_file_is_removed(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path, "1")
        content = pack(Answer({"a": 1}, {"zeros": np.zeros(100)}))
        for damaged in (b"", b"nonsense", content[:-30], content[:40]):
            cache.path("q").write_bytes(damaged)
            assert cache.read("q") is None
            assert not cache.path("q").exists()

    def test_the_longest_unread_go_first(self, tmp_path: Path) -> None:
        content = pack(Answer({}, {"zeros": np.zeros(1_000, np.uint8)}))
        cache = Cache(tmp_path, "1", max_bytes=int(2.5 * len(content)))
        for age, question in enumerate(("old", "older")):
            cache.write(question, content)
            os.utime(cache.path(question), (1_000 - age, 1_000 - age))
        assert cache.read("older") is not None
        cache.write("new", content)
        assert cache.read("old") is None
        assert cache.read("older") == cache.read("new") == content

    def test_small_answers_are_not_tidied_one_by_one_and_yet_stay_within_the_limit(self, tmp_path: Path) -> None:
        content = pack(Answer({}))
        cache = Cache(tmp_path, "1", max_bytes=64 * len(content))
        kept: list[int] = []
        for number in range(200):
            cache.write(str(number), content)
            kept.append(len(list(tmp_path.iterdir())))
        assert max(kept) > 64, "tidied with every answer"
        assert max(kept) <= 64 + 64 // 16 + 1

    def test_other_code_finds_nothing(self, tmp_path: Path) -> None:
        Cache(tmp_path, "1").write("q", pack(Answer({})))
        assert Cache(tmp_path, "1").read("q") is not None
        assert Cache(tmp_path, "2").read("q") is None

    def test_a_folder_that_cannot_be_made_keeps_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        cache = Cache(tmp_path / "file" / "cache", "1")
        cache.write("q", pack(Answer({})))
        assert cache.read("q") is None


def test_objects_never_travel() -> None:
    with pytest.raises(ValueError, match="Object arrays"):
        pack(Answer({}, {"objects": np.array([object()])}))
    with pytest.raises(ValueError, match="damaged"):
        unpack(b"PK\x05\x06" + b"\0" * 18)


def test_whatever_bit_of_an_answer_is_wrong_it_is_damaged_and_nothing_else() -> None:
    content = pack(Answer({"x": 1}, {"numbers": np.arange(3)}))
    damaged = 0
    for place in range(len(content)):
        for mask in (0x01, 0x08, 0x40):
            flipped = bytearray(content)
            flipped[place] ^= mask
            try:
                unpack(bytes(flipped))
            except ValueError:
                damaged += 1
    assert damaged > len(content)


def test_the_order_of_a_request_does_not_matter() -> None:
    assert question_text("q", {"a": 1, "b": (1, 2)}) == question_text("q", {"b": [1, 2], "a": 1})

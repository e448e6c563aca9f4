"""Ten visitors at a real service: mixed questions, some withdrawn, the process killed meanwhile; nothing gets lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from cnncore.answers import Answer
from cnncore.ask import ask
from cnncore.errors import LabError
from cnncore.images.drawing import drawing_text

pytestmark = pytest.mark.slow

NETWORK = {"network": "untrained:lenet_tutorial", "stamp": ""}
VISITORS, REQUESTS = 10, 20


def drawn(number: int) -> str:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 4 + number : 8 + number] = 255
    return f"drawn:{drawing_text(pixels)}"


def mixture() -> list[tuple[str, dict[str, Any]]]:
    """Questions of which none is kept, two of them impossible."""
    found: list[tuple[str, dict[str, Any]]] = [
        ("layers", NETWORK),
        ("inspect", {**NETWORK, "picture": f"kept:{'0' * 32}"}),
        ("feature_maps", {**NETWORK, "picture": drawn(0), "layer": "fc1"}),
    ]
    for number in range(3):
        shown = {**NETWORK, "picture": drawn(number)}
        found += [
            ("inspect", shown),
            ("feature_maps", {**shown, "layer": "conv1"}),
            ("attribution", {**shown, "method": "gradcam", "target": number}),
            ("attribution", {**shown, "method": "occlusion", "window": 7, "stride": 7}),
        ]
    return found


def outcome(name: str, request: dict[str, Any]) -> Answer | str:
    """The whole answer, or the sentence why there is none."""
    try:
        while (answer := ask(name, request, timeout_s=60)).data.get("pending"):
            pass
    except LabError as error:
        return str(error)
    return answer


def same(a: Answer | str, b: Answer | str) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return a.data == b.data and all(np.array_equal(a.arrays[name], b.arrays[name]) for name in (*a.arrays, *b.arrays))


def services(artifacts: Path) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.Process().children():
        with suppress(psutil.Error):
            if "cnncore.service" in process.cmdline() and process.environ()["CNNLAB_ARTIFACTS"] == str(artifacts):
                found.append(process)
    return found


@pytest.fixture(autouse=True)
def _ended(artifacts: Path) -> Iterator[None]:
    yield
    for process in services(artifacts):
        process.kill()
        process.wait()


def test_all_are_answered_rightly_though_it_is_killed_and_questions_are_withdrawn(artifacts: Path) -> None:
    asked = mixture()
    expected = [outcome(*question) for question in asked]
    assert sum(isinstance(each, str) for each in expected) == 2
    (first,) = services(artifacts)
    jobs = [(visitor * 7 + number) % len(asked) for number in range(REQUESTS) for visitor in range(VISITORS)]
    done = threading.Semaphore(0)

    def visit(job: int) -> Answer | str:
        try:
            return outcome(*asked[job])
        finally:
            done.release()

    def withdraw(number: int) -> None:
        with suppress(LabError):
            ask("inspect", {**NETWORK, "picture": drawn(4 + number)}, timeout_s=0.005)

    with ThreadPoolExecutor(VISITORS + 2) as pool:
        answers = [pool.submit(visit, job) for job in jobs]
        gone = [pool.submit(withdraw, number % 10) for number in range(20)]
        for _ in range(len(jobs) // 4):
            done.acquire()
        first.kill()
        assert all(same(answer.result(), expected[job]) for answer, job in zip(answers, jobs, strict=True))
        for each in gone:
            each.result()
    first.wait()
    (second,) = services(artifacts)
    assert second.pid != first.pid

"""The app without a browser, the service or the runner."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.catalog import DATASETS, stages_of
from cnncore.errors import LabError
from cnncore.places import PROJECT_ROOT
from cnncore.transfer.costs import HEAD, NetworkCosts, StageCost

MACHINE = {
    "os": "Linux 6",
    "cpu": "A processor",
    "cores": 2,
    "memory": {"total": 8_000_000_000, "free": 5_000_000_000},
    "disk": {"total": 100_000_000_000, "free": 40_000_000_000},
    "versions": {},
    "devices": [
        {"id": "cpu", "name": "A processor", "memory_mib": None, "cores": 2, "bf16": True, "usable": True},
        {"id": "cuda:0", "name": "A GPU", "memory_mib": 8_192, "cores": None, "bf16": True, "usable": True},
        {"id": "cuda:1", "name": "An old GPU", "memory_mib": 2_048, "cores": None, "bf16": False, "usable": False},
    ],
    "device": "cuda:0",
    "precision": "bf16",
    "unusable_gpu": None,
    "datasets": {"mnist5k": 5_150_000},
}


def _samples(request: Mapping[str, Any]) -> Answer:
    spec = DATASETS[request["data"]["dataset"]]
    facts = {
        "at_hand": True,
        "classes": spec.classes or ("one", "two", "three"),
        "num_images": {"train": spec.num_train, "validation": 500, "test": spec.num_test},
        "labels": [0, 1, 2],
        "train_counts": [],
        "split_note": "Validation: 500 images set aside, 10 % of each class.",
    }
    return Answer(facts, {"images": np.zeros((3, 8, 8, 3), np.uint8)})


def _transfer_costs(request: Mapping[str, Any]) -> Answer:
    """Every part of a network costs the same; a step of one image takes a millisecond forward, where that is asked."""
    stages = [StageCost(key=stage.key, num_params=1_000, macs=10**6) for stage in stages_of(request["model"]["name"])]
    costs = NetworkCosts(stages=tuple(stages), head=StageCost(key=HEAD, num_params=500, macs=10**6), precision="bf16")
    if request["measure"]:
        timed = [dataclasses.replace(part, seconds=0.001) for part in costs.parts]
        costs = dataclasses.replace(costs, stages=tuple(timed[:-1]), head=timed[-1])
    return Answer(costs.to_dict(), lasting=not request["measure"])


def _changed_digits(request: Mapping[str, Any]) -> Answer:
    """Every digit is taken for itself, but the 6 for a 9 from the middle of the dial on."""
    counts = np.stack([50 * np.eye(10, dtype=np.int64)] * len(request["places"]))
    for count, place in zip(counts, request["places"], strict=True):
        if place > 0:
            count[6, [6, 9]] = 0, 50
    return Answer({"num_known": 3_500}, {"counts": counts, "examples": np.zeros((len(counts), 10, 28, 28), np.uint8)})


ANSWERS: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
    "changed_digits": _changed_digits,
    "machine": lambda request: Answer(dict(MACHINE)),
    "profile": lambda request: Answer({"num_params": 1_234, "macs": 56_789, "memory_bytes": 3_000_000}),
    "samples": _samples,
    "transfer_costs": _transfer_costs,
    "preview": lambda request: Answer({}, {"images": np.zeros((3, 4, 8, 8, 3), np.uint8)}),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Mapping[str, Any]]]:
    """The questions the pages put to the service, which is not started."""
    questions: list[tuple[str, Mapping[str, Any]]] = []

    def answer(name: str, request: Mapping[str, Any], **_: object) -> Answer:
        questions.append((name, request))
        return ANSWERS[name](request)

    monkeypatch.setattr("pages.components.waiting.ask", answer)
    return questions


@pytest.fixture
def broken_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that answers nothing."""

    def refuse(name: str, request: Mapping[str, Any], **_: object) -> Answer:
        raise LabError("The service is not there.", "Try again.")

    monkeypatch.setattr("pages.components.waiting.ask", refuse)


@pytest.fixture
def app(asked: list[tuple[str, Mapping[str, Any]]], monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The app, not run yet; runs that it creates stay in the queue."""
    monkeypatch.setattr("pages.components.lab.ensure_runner", lambda artifacts: None)
    make = PagesManager.__init__

    def make_warm(self: PagesManager, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        # AppTest makes every run the first one of a fresh server, whose guard would swallow each click.
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", make_warm)
    return AppTest.from_file(str(PROJECT_ROOT / "app.py"), default_timeout=30)


@pytest.fixture
def train(app: AppTest) -> AppTest:
    """The Train page, opened without a link."""
    app.switch_page("pages/train.py").run()
    assert_clean(app)
    return app


def assert_refused(app: AppTest, refused: Mapping[str, tuple[str, str]]) -> None:
    """A page that was opened with these values, each by its field, says of each in one sentence what is allowed."""
    assert_clean(app)
    found = [warning.value.replace("\\", "") for warning in app.warning]
    assert len(found) == len(refused)
    for value, sentence in refused.values():
        assert any(repr(value) in each and sentence in each for each in found), sentence


def assert_clean(app: AppTest) -> None:
    """Nothing on the page speaks of an error."""
    assert not app.exception
    assert [element.value for element in app.error] == []


def link(app: AppTest, **params: str) -> AppTest:
    """Open the Train page by a link; names take two underscores for the dot."""
    app.switch_page("pages/train.py")
    for name, value in params.items():
        app.query_params[name.replace("__", ".")] = value
    return app.run()


def address(app: AppTest) -> dict[str, str]:
    """The query parameters of the page."""
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}

"""Networks for the Inspector that were never trained, what the service would say of them, what a browser would send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.errors import DataError
from cnncore.images.preprocessing import Preprocessing
from cnncore.runs.artifacts import WEIGHTS, WEIGHTS_CARD, run_dir
from cnncore.runs.store import Run, RunStore
from pages.components.inspector_link import Look
from pages.components.inspector_views import VIEWS, View
from pages.components.picture_choice import Choice
from tests.fake_runs import CLASSES, finish, open_run
from tests.pages.conftest import ANSWERS

Asked = list[tuple[str, Mapping[str, Any]]]
MADE = Preprocessing(size=28, channels=1, mean=(0.1307,), std=(0.3081,))
COUNTS = {"test": 30, "validation": 20, "train": 50}
LABEL = 3


def digit_run(store: RunStore, artifacts: Path, *, name: str = "LeNet <b> on digits", epoch: int = 8) -> Run:
    """A finished run on the built-in digits, with weights that nothing could load."""
    run = finish(store, artifacts, open_run(store, artifacts, name=name))
    give_weights(artifacts, run, epoch=epoch)
    return run


def give_weights(artifacts: Path, run: Run, *, epoch: int) -> None:
    """Weights of an epoch, and the card beside them."""
    folder = run_dir(artifacts, run.id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(b"weights" * epoch)
    card = {
        "model": run.config["model"],
        "in_shape": [1, 28, 28],
        "classes": CLASSES,
        "preprocessing": MADE.to_dict(),
        "epoch": epoch,
        "config": run.config,
    }
    (folder / WEIGHTS_CARD).write_text(json.dumps(card))


def inspect(request: Mapping[str, Any]) -> Answer:
    """It is a three for sure, which is right where the picture has a label at all."""
    if request["picture"].startswith("data:cifar100:"):
        raise DataError("The data set cifar100 is not on this machine.", "Train something on it.")
    classes = CLASSES if request["network"].startswith("run:") else [f"thing {place}" for place in range(1_000)]
    probabilities = np.full(len(classes), 0.08 / (len(classes) - 2), np.float32)
    probabilities[[LABEL, 8]] = 0.9, 0.02
    top = np.argsort(-probabilities, kind="stable")[:5]
    pixels = np.full((28, 28, 1), 128, np.uint8)
    facts = {
        "classes": [classes[place] for place in top],
        "label": "3" if request["picture"].startswith("sample:") else "",
        "size": 28,
        "channels": 1,
        "preprocessing": MADE.to_dict(),
        "precision": "fp32",
        "familiar": None,
    }
    arrays = {
        "top": top,
        "shares": probabilities[top],
        "probabilities": probabilities,
        "pixels": pixels,
        "original": np.zeros((40, 60, 3), np.uint8) if request["picture"].startswith("kept:") else pixels,
        "statistics": np.array([[-0.4, 0.1, 2.8, 0.9]], np.float32),
    }
    if request.get("tensor"):
        arrays["tensor"] = MADE.normalized(pixels)
    return Answer(facts, arrays)


def browse(request: Mapping[str, Any]) -> Answer:
    """Digits in turn, or exactly those that are asked for."""
    total = COUNTS[request["split"]]
    fitting = [place for place in range(total) if request.get("label", -1) in (-1, place % 10)]
    if request.get("seed"):
        fitting.reverse()
    first = request.get("first", 0)
    places = request.get("places") or fitting[first : first + request["count"]]
    facts = {
        "classes": CLASSES,
        "num_images": COUNTS,
        "split": request["split"],
        "total": len(fitting),
        "places": list(places),
        "labels": [place % 10 for place in places],
        "names": [str(place) for place in places],
    }
    return Answer(facts, {f"picture_{row}": np.zeros((28, 28, 1), np.uint8) for row in range(len(places))})


def outcomes(request: Mapping[str, Any]) -> Answer:
    """Of each split the images 4 and 17 are told wrong, the second one more surely."""
    labels = np.arange(COUNTS[request["split"]]) % 10
    probabilities = np.full((len(labels), 10), 0.01, np.float32)
    probabilities[np.arange(len(labels)), labels] = 0.9
    probabilities[4, 9], probabilities[17, 1] = 0.95, 0.99
    facts = {"pending": False, "classes": CLASSES, "split": request["split"]}
    return Answer(facts, {"labels": labels, "probabilities": probabilities, "places": np.arange(len(labels))})


def look(app: AppTest, **params: str) -> AppTest:
    """Open the Inspector by a link."""
    app.switch_page("pages/inspector.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def pictures(asked: Asked) -> list[str]:
    return [request["picture"] for name, request in asked if name == "inspect"]


@dataclass
class Browser:
    """What the components would send: the drawing field its states, the strip of pictures a choice."""

    pads: list[dict[str, Any]]
    strips: list[tuple[list[str], str]]
    picks: int | None = None

    @property
    def turn(self) -> int:
        return self.pads[-1]["turn"]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    found = Browser([], [])

    def pad(key: str, turn: int, start: np.ndarray | None, *, is_example: bool, on_drawn: Any, on_settled: Any) -> None:
        found.pads.append({"turn": turn, "start": start, "example": is_example, "drawn": on_drawn, "rest": on_settled})

    def strip(choices: list[Choice], chosen: str, *, key: str, label: str) -> str | None:
        found.strips.append(([each.name for each in choices], chosen))
        picked, found.picks = found.picks, None
        return None if picked is None else choices[picked].name

    monkeypatch.setattr("pages.components.inspector_picture_drawn.draw_pad", pad)
    monkeypatch.setattr("pages.components.inspector_picture_images.choose_picture_of", strip)
    return found


def show(given: Look) -> None:
    """A view in which nothing but the look is seen."""
    st.caption(f"view of {given.network} {given.stamp} with {given.picture}")


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, question in {"inspect": inspect, "browse": browse, "split_outcomes": outcomes}.items():
        monkeypatch.setitem(ANSWERS, name, question)
    for name in VIEWS:
        monkeypatch.setitem(VIEWS, name, View(title=name, icon=":material/bolt:", show=show))


@pytest.fixture
def run(store: RunStore, artifacts: Path) -> Run:
    return digit_run(store, artifacts)

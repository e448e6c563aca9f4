"""The drawing of a network on a page: asked for, shown, opened; and what there is meanwhile."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.config import ModelConfig
from cnncore.errors import ConfigError, LabError
from cnncore.models.graph import graph_of
from pages.components import network_graph
from tests.pages.conftest import assert_clean


def draw() -> None:
    from pages.components.network_graph import draw_network

    draw_network({"name": "resnet20"}, (3, 32, 32), 10, key="net")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was sent to the browser, drawing by drawing; the service answers at once."""

    found = Answer(graph_of(ModelConfig(name="resnet20"), (3, 32, 32), 10).to_dict())

    def answer(name: str, request: dict[str, Any], **_: object) -> Answer:
        assert name == "graph"
        assert request == {"model": {"name": "resnet20"}, "in_shape": [3, 32, 32], "num_classes": 10}
        return found

    sent: list[dict[str, Any]] = []
    monkeypatch.setattr("pages.components.waiting.ask", answer)
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 20.0)
    monkeypatch.setattr(network_graph, "_component", lambda: lambda **given: sent.append(given))
    return sent


def heights(block: Any) -> Iterator[int]:
    """The fixed heights of all containers on the page, in pixels."""
    for child in getattr(block, "children", {}).values():
        yield child.proto.height_config.pixel_height if hasattr(child.proto, "height_config") else 0
        yield from heights(child)


def boxes(given: dict[str, Any]) -> list[str]:
    return [box["id"] for box in json.loads(given["data"])["boxes"]]


def test_a_network_is_drawn(drawn: list[dict[str, Any]]) -> None:
    app = AppTest.from_function(draw, default_timeout=30).run()
    assert_clean(app)
    assert "stage1.block1.conv1" in boxes(drawn[-1])
    assert drawn[-1]["height"] == network_graph.HEIGHT


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, None),
        ("stage1", None),
        ({"a": 1}, None),
        (["x"] * 3_000, None),
        ([], ()),
        (["b", 3, "a", "b", None], ("a", "b")),
    ],
)
def test_only_names_of_blocks_are_taken_from_a_browser(found: object, expected: tuple[str, ...] | None) -> None:
    assert network_graph._opened(found) == expected


def test_what_the_browser_opened_is_open(drawn: list[dict[str, Any]]) -> None:
    app = AppTest.from_function(draw, default_timeout=30).run()
    app.session_state[drawn[-1]["key"]] = {"open": ["stage2"]}
    app.run()
    assert boxes(drawn[-1])[:5] == ["input", "stem", "stage1", "stage2.block1", "stage2.block2"]


def test_the_place_is_kept_while_waiting(drawn: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 0.01)
    monkeypatch.setattr("pages.components.waiting.ask", lambda *_, **__: answered.wait(20) and Answer({"nodes": []}))
    app = AppTest.from_function(draw, default_timeout=30).run()
    answered.set()
    assert_clean(app)
    assert drawn == []
    assert "appears here" in app.caption[0].value
    assert network_graph.HEIGHT in list(heights(app.main))


def test_a_service_that_has_to_start_does_not_hold_up_the_page(
    drawn: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def start_first(*_: object, before_start: Callable[[], None], **__: object) -> Answer:
        before_start()
        answered.wait(60)
        return Answer({"nodes": []})

    monkeypatch.setattr("pages.components.waiting.ask", start_first)
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 60.0)
    app = AppTest.from_function(draw, default_timeout=30).run()
    answered.set()
    assert_clean(app)
    assert "appears here" in app.caption[0].value


def test_an_impossible_network_says_why(drawn: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Answer:
        raise ConfigError("model.name", "ResNet-20 needs images of at least 8×8 pixels.", "Take larger ones.")

    monkeypatch.setattr("pages.components.waiting.ask", refuse)
    app = AppTest.from_function(draw, default_timeout=30).run()
    assert_clean(app)
    assert app.caption[0].value == "ResNet-20 needs images of at least 8×8 pixels. Take larger ones."
    assert issubclass(ConfigError, LabError)

"""The view Weights: the first filters, and histograms of every tensor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.errors import DataError
from pages.components import inspector_maps_tiles, live_chart
from pages.components.inspector_weights_histograms import _histogram_table
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.transfer_runs import words

Asked = list[tuple[str, Mapping[str, Any]]]
FILTERS = np.random.default_rng(0).normal(size=(6, 3, 3, 3)).astype(np.float32)


def tensor(name: str, changed: float | None, before: tuple[int, ...] | None) -> dict[str, Any]:
    facts = {"name": name, "kind": "convolution", "shape": (6, 3, 3, 3), "mean": 0.5, "std": 0.25, "changed": changed}
    return {**facts, "edges": (-1.0, 0.0, 1.0), "now": (4, 6), "before": before}


TENSORS = [tensor("conv1.weight", 0.3, (5, 5)), tensor("conv1.bias", None, (10, 0)), tensor("fc.weight", 0.0, (4, 6))]


def draw() -> None:
    import streamlit as st

    from pages.components.inspector_link import Look
    from pages.components.inspector_weights import show_weights

    picture = st.session_state.get("picture", "")
    show_weights(Look(network="run:abcdef", title="A <b> net", stamp="1", picture=picture, size=12, classes=("a",)))


@pytest.fixture
def drawn(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What was sent to the browser last, by key; `click` is the filter that is clicked next."""
    sent: dict[str, Any] = {}

    def grid(**given: Any) -> None:
        sent[given["key"]] = given["data"]
        if "click" in sent:
            st.session_state[given["key"]] = {"chosen": sent.pop("click")}
            given["on_chosen_change"]()

    def chart(**given: Any) -> None:
        sent[given["key"]] = json.loads(given["data"])

    monkeypatch.setitem(ANSWERS, "filters", lambda request: Answer({"layer": "conv1", "num": 6}, {"filters": FILTERS}))
    monkeypatch.setitem(ANSWERS, "weight_histograms", lambda request: Answer({"tensors": TENSORS, "note": ""}))
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 20.0)
    monkeypatch.setattr(inspector_maps_tiles, "_component", lambda: grid)
    monkeypatch.setattr(live_chart, "_component", lambda: chart)
    return sent


def look(**link: str) -> AppTest:
    app = AppTest.from_function(draw, default_timeout=30)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def pictures(data: bytes) -> np.ndarray:
    return np.frombuffer(data[4 + int.from_bytes(data[:4], "little") :], np.uint8).reshape(6, 3, 3, 3)


def test_filters_are_pictures_and_weights_histograms(drawn: dict[str, Any], asked: Asked) -> None:
    app = look()
    assert_clean(app)
    shown = pictures(drawn["inspector_filters_grid"])
    assert (np.abs(shown.astype(int) - 128).max(axis=(1, 2, 3)) >= 127).all(), "each filter has its own scale"
    assert "6 filters of conv1, 3 × 3" in words(app)
    assert dict(asked)["filters"] == dict(asked)["weight_histograms"] == {"network": "run:abcdef", "stamp": "1"}
    chart = drawn["inspector_weights_histogram_conv1.weight"]
    assert [trace["name"] for trace in chart["traces"]] == ["now", "before training"]
    assert "**moved clearly**: the distance to the start is 30 %" in words(app)
    assert drawn["inspector_weights_changes"]["traces"][0]["customdata"] == ["conv1.weight", "fc.weight"]
    (table,) = app.dataframe
    assert table.value["tensor"].tolist() == ["conv1.weight", "conv1.bias", "fc.weight"]
    assert table.value["moved"].isna().tolist() == [False, True, False]


def test_filters_on_one_scale_differ_in_strength(drawn: dict[str, Any]) -> None:
    app = look(scale="layer")
    assert_clean(app)
    strengths = np.abs(pictures(drawn["inspector_filters_grid"]).astype(int) - 128).max(axis=(1, 2, 3))
    assert strengths.argmax() == np.abs(FILTERS).max(axis=(1, 2, 3)).argmax()
    assert (strengths >= 127).sum() == 1


def test_a_clicked_filter_shows_its_weights(drawn: dict[str, Any]) -> None:
    app = look()
    drawn["click"] = 4
    app.run()
    assert address(app)["filter"] == "4"
    app.run()
    assert_clean(app)
    assert "Weights of filter 4" in words(app)
    assert words(app).count("<figure") == 3


def test_a_filter_leads_to_its_map_of_the_picture(drawn: dict[str, Any]) -> None:
    app = look(filter="4")
    assert "inspector_filters_map" not in {button.key for button in app.button}, "there is no picture"
    app.session_state["picture"] = "drawn:x"
    app.run()
    app.button(key="inspector_filters_map").click().run()
    assert_clean(app)
    assert address(app) == {"filter": "4", "view": "maps", "layer": "conv1", "unit": "4"}


def test_tensors_are_gone_through(drawn: dict[str, Any]) -> None:
    app = look()
    app.button(key="inspector_weights_step1").click().run()
    assert_clean(app)
    assert address(app)["tensor"] == "conv1.bias"
    assert "It started at zero" in words(app)
    app.selectbox(key="inspector_weights_tensor").set_value("fc.weight").run()
    assert address(app)["tensor"] == "fc.weight"
    assert "did not move at all" in words(app)


def test_an_unknown_start_is_told(drawn: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = [{**each, "changed": None, "before": None} for each in TENSORS]
    answer = Answer({"tensors": tensors, "note": "The first weights <b> are not published."})
    monkeypatch.setitem(ANSWERS, "weight_histograms", lambda request: answer)
    app = look()
    assert_clean(app)
    assert [each.value.replace("\\", "") for each in app.info] == ["The first weights <b> are not published."]
    assert len(drawn["inspector_weights_histogram_conv1.weight"]["traces"]) == 1
    assert "inspector_weights_changes" not in drawn
    assert "Since its start" not in words(app)


def test_a_network_without_filters_still_has_histograms(drawn: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: Mapping[str, Any]) -> Answer:
        raise DataError("No convolution of this network sees the pixels.", "Choose another network.")

    monkeypatch.setitem(ANSWERS, "filters", refuse)
    app = look()
    assert [each.value for each in app.error] == [
        "No convolution of this network sees the pixels. Choose another network."
    ]
    assert "inspector_weights_histogram_conv1.weight" in drawn


def test_counting_in_pieces_shows_how_far_it_is(drawn: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    part = Answer({"pending": True, "done": 1, "total": 4}, lasting=False)
    monkeypatch.setitem(ANSWERS, "weight_histograms", lambda request: part)
    app = look()
    assert_clean(app)
    assert [bar.proto.value for bar in app.get("progress")] == [25]


@pytest.mark.parametrize("link", [{"filter": "6"}, {"filter": "-1"}, {"filter": "x" * 5_000}, {"tensor": "<b>"}])
def test_what_a_link_cannot_mean_is_said_once(drawn: dict[str, Any], link: dict[str, str]) -> None:
    app = look(**link)
    assert_clean(app)
    assert len(app.warning) == 1
    assert len(app.warning[0].value) < 400


def test_the_table_of_a_histogram_has_a_row_a_bin() -> None:
    assert _histogram_table(TENSORS[0]) == "from,to,now,before\n-1,0,4,5\n0,1,6,5\n"
    assert _histogram_table({**TENSORS[0], "before": None}) == "from,to,now\n-1,0,4\n0,1,6\n"

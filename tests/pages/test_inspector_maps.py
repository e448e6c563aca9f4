"""The view Maps: layers, grids, one map on the picture, and the sum behind a number."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from pages.components import inspector_maps_place, inspector_maps_tiles
from pages.components.inspector_link import Look
from pages.components.inspector_maps_grid import PER_PAGE, file_name
from pages.components.inspector_maps_place import MapOnImage, read_place
from pages.components.inspector_maps_sum import _table, _terms
from pages.components.inspector_maps_unit import _boxed, _map_picture, _map_table
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.transfer_runs import words

Asked = list[tuple[str, Mapping[str, Any]]]
Sent = list[dict[str, Any]]
SIZE = 12
MANY = PER_PAGE + 6


def layer(name: str, kind: str, shape: tuple[int, int, int], *, tap: bool = False, **more: Any) -> dict[str, Any]:
    facts = {"name": name, "kind": kind, "shape": shape, "kernel": None, "receptive_field": 3, "is_tap": tap}
    return {**facts, "stride": None, "padding": None, "jump": 1, "start": 0.5, "passes_all": True, **more}


LAYERS = [
    layer("conv1.conv", "convolution", (4, 6, 8), kernel=(3, 3)),
    layer("conv1", "block", (4, 6, 8), tap=True),
    layer("conv2", "block", (MANY, 2, 2), tap=True, receptive_field=None),
    layer("conv3", "block", (2, 1, 1)),
]
SHAPES = {each["name"]: each["shape"] for each in LAYERS}


def feature_maps(request: Mapping[str, Any]) -> Answer:
    """Map number u holds u, u + 0.1, u + 0.2, …: the last one is the strongest, at its last place."""
    count, height, width = SHAPES[request["layer"]]
    units = list(range(count)) if request["order"] == "channel" else list(range(count))[::-1]
    units = units[request["first"] : request["first"] + request["count"]]
    places = np.arange(height * width).reshape(height, width) / 10
    maps = np.stack([unit + places for unit in units]).astype(np.float16)
    ends = maps.min((1, 2)).astype(np.float32), maps.max((1, 2)).astype(np.float32)
    seen = {"rows": np.stack([np.arange(height), np.arange(height) + 3], 1), "columns": np.zeros((width, 2), int)}
    of = {"name": request["layer"], "shape": SHAPES[request["layer"]]}
    facts = {"layer": of, "num_maps": count, "low": 0.0, "high": float(count), "units": units}
    return Answer(facts, {"maps": maps, "lows": ends[0], "highs": ends[1], "means": ends[0], **seen})


def unit(request: Mapping[str, Any]) -> Answer:
    """A sum over three channels of the picture, or what two branches add up to (conv2)."""
    of = {"layer": {"name": request["layer"]}, **{name: request.get(name) for name in ("unit", "row", "column")}}
    facts = {**of, "value": 1.25, "box": (0, 0, 3, 3), "note": "", "addends": [], "steps": [], "source": None}
    if request["layer"] == "conv2":
        parts = [{"name": "conv1", "value": 1.0}, {"name": "a <b>", "value": 0.25}]
        return Answer({**facts, "addends": parts, "note": "Branches <i>add up</i>."})
    kernel = np.ones((3, 3, 3), np.float32)
    patch = np.stack([np.full((3, 3), value, np.float32) for value in (0.1, -0.2, 0.3)])
    inside = np.ones((3, 3), np.bool_)
    inside[0] = False
    terms = [0.9, -1.8, 2.7]
    source = {"layer": "conv1.conv", "reads": "image", "channels": [0, 1, 2], "terms": terms, "bias": 0.5, "sum": 2.3}
    window = {"values": [[1.0, 1.25]], "takes": "max", "winner": [5, 6]}
    stage = {"type": "", "window": None, "chosen": False}
    norm = {**stage, "kind": "normalization", "type": "BatchNorm2d"}
    steps = [
        {**stage, "name": "conv1.conv", "kind": "convolution", "value": 2.3},
        {**norm, "name": "conv1.norm", "value": -1.0},
        {**stage, "name": "conv1.act", "kind": "activation", "type": "ReLU", "value": 0.0},
        {**stage, "name": "conv1.pool", "kind": "pooling", "value": 1.25, "window": window, "chosen": True},
    ]
    arrays = {"kernel": kernel, "patch": patch, "products": kernel * patch, "inside": inside}
    return Answer({**facts, "source": source, "steps": steps}, arrays)


def draw() -> None:
    from pages.components.inspector_link import Look
    from pages.components.inspector_maps import show_maps

    show_maps(Look(network="run:abcdef", title="A <b> net", stamp="1", picture="drawn:x", size=12, classes=("a",)))


class Browser:
    """Stands for both pictures: what was sent to them, and what a person clicks next."""

    def __init__(self) -> None:
        self.grids: Sent = []
        self.places: Sent = []
        self.click: Any = None

    def component(self, sent: Sent) -> Any:
        def draw(**given: Any) -> None:
            sent.append(given)
            if self.click is not None and self.click[0] is sent:
                value, self.click = self.click[1], None
                st.session_state[given["key"]] = {"chosen": value}
                given["on_chosen_change"]()

        return draw


def header(sent: Sent) -> dict[str, Any]:
    data = sent[-1]["data"]
    return json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])


def body(sent: Sent) -> bytes:
    data = sent[-1]["data"]
    return data[4 + int.from_bytes(data[:4], "little") :]


@pytest.fixture
def browser(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser()
    answers = {
        "layers": lambda request: Answer({"layers": LAYERS, "last": "conv2", "size": SIZE}),
        "feature_maps": feature_maps,
        "unit": unit,
        "inspect": lambda request: Answer({}, {"pixels": np.full((SIZE, SIZE, 3), 9, np.uint8)}),
    }
    for name, answer in answers.items():
        monkeypatch.setitem(ANSWERS, name, answer)
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 20.0)
    monkeypatch.setattr(inspector_maps_tiles, "_component", lambda: browser.component(browser.grids))
    monkeypatch.setattr(inspector_maps_place, "_component", lambda: browser.component(browser.places))
    return browser


def look(**link: str) -> AppTest:
    app = AppTest.from_function(draw, default_timeout=30)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def requests(asked: Asked, name: str) -> list[Mapping[str, Any]]:
    return [request for question, request in asked if question == name]


def test_the_first_layer_worth_seeing_comes_first(browser: Browser, asked: Asked) -> None:
    app = look()
    assert_clean(app)
    assert app.selectbox[0].options == [
        "conv1: block of layers, 4 maps of 6 × 8",
        f"conv2: block of layers, {MANY} maps of 2 × 2",
    ]
    (request,) = requests(asked, "feature_maps")
    assert (request["layer"], request["first"], request["order"]) == ("conv1", 0, "channel")
    sent = header(browser.grids)
    assert [tile["label"] for tile in sent["tiles"]] == ["0", "1", "2", "3"]
    assert sent["tiles"][2]["words"] == "Map 2: from 2 to 6.699, mean 2"
    assert (sent["tiles"][0]["height"], sent["tiles"][0]["width"], sent["chosen"]) == (6, 8, None)
    assert len(body(browser.grids)) == 4 * 6 * 8
    assert not requests(asked, "unit")
    assert not browser.places


def test_all_layers_can_be_reached(browser: Browser, asked: Asked) -> None:
    app = look()
    app.segmented_control(key="inspector_maps_group").set_value("all").run()
    assert_clean(app)
    assert [option.partition(":")[0] for option in app.selectbox[0].options] == [
        "conv1 › conv",
        "conv1",
        "conv2",
        "conv3",
    ]
    app.button(key="inspector_maps_step-1").click().run()
    assert address(app)["layer"] == "conv1.conv"
    assert app.button(key="inspector_maps_step-1").disabled
    assert "convolution 3 × 3" in app.selectbox[0].options[0]
    app.segmented_control(key="inspector_maps_group").set_value("worth").run()
    assert address(app)["layer"] == "conv1", "the layer before those worth seeing is none of them"


def test_a_step_leaves_the_unit_behind(browser: Browser) -> None:
    app = look(unit="2", place="1,1", page="1")
    app.button(key="inspector_maps_step1").click().run()
    assert_clean(app)
    assert address(app) == {"layer": "conv2"}


def test_colors_are_of_the_layer_or_of_the_map(browser: Browser) -> None:
    app = look()
    of_layer = np.frombuffer(body(browser.grids), np.uint8).reshape(4, -1)
    assert of_layer[:, 0].tolist() == [0, 64, 128, 191], "maps that begin at 0, 1, 2, 3 of 4"
    app.segmented_control(key="inspector_maps_scale").set_value("map").run()
    assert_clean(app)
    assert address(app)["scale"] == "map"
    own = np.frombuffer(body(browser.grids), np.uint8).reshape(4, -1)
    assert (own.min(1) == 0).all()
    assert (own.max(1) == 255).all()
    assert "cannot be compared" in words(app)


def test_many_maps_have_pages(browser: Browser, asked: Asked) -> None:
    app = look(layer="conv2", page="2")
    assert_clean(app)
    assert requests(asked, "feature_maps")[-1]["first"] == PER_PAGE
    assert [tile["key"] for tile in header(browser.grids)["tiles"]] == list(range(PER_PAGE, MANY))
    app.segmented_control(key="inspector_maps_order").set_value("strength").run()
    assert_clean(app)
    assert "page" not in address(app), "another order begins with its first page"
    assert header(browser.grids)["tiles"][0]["label"] == str(MANY - 1)


def test_a_clicked_map_opens(browser: Browser, asked: Asked) -> None:
    app = look()
    browser.click = (browser.grids, 3)
    app.run()
    assert address(app)["unit"] == "3"
    app.run()
    assert_clean(app)
    sent = header(browser.places)
    assert sent["map"] == {"height": 6, "width": 8, "low": 0.0, "high": 4.0}
    assert sent["place"] == [5, 7], "where it is strongest"
    assert sent["rows"][2] == [2, 5]
    assert header(browser.grids)["chosen"] == 3
    values = np.frombuffer(body(browser.places)[: 4 * 48], "<f4")
    assert values == pytest.approx(3 + np.arange(48) / 10, abs=0.01)
    assert body(browser.places)[4 * 48 :] == bytes([9]) * (3 * SIZE * SIZE)
    assert requests(asked, "unit")[-1] == {
        "network": "run:abcdef",
        "stamp": "1",
        "picture": "drawn:x",
        "layer": "conv1",
        "unit": 3,
        "row": 5,
        "column": 7,
    }


@pytest.mark.parametrize("nonsense", [99, -1, True, "3", None, [3], 2.0])
def test_nonsense_from_a_browser_opens_nothing(browser: Browser, nonsense: Any) -> None:
    app = look()
    browser.click = (browser.grids, nonsense)
    app.run()
    assert_clean(app)
    assert "unit" not in address(app)


def test_the_sum_is_told_step_by_step(browser: Browser) -> None:
    app = look(unit="1", place="2,3")
    assert_clean(app)
    told = words(app)
    assert "Map 1 at row 2, column 3 is **1.25**" in told
    assert "3 channels × 3 × 3 = 27 products" in told
    assert told.index(">red<") < told.index(">green<") < told.index(">blue<")
    assert told.count("class='is-padding'") == 3 * 2 * 3
    steps = told[told.index("lab-sum-steps") :]
    for part in (
        "1.8<",
        "0.5<",
        "2.3<",
        "−1<",
        "largest of 1, 1.25; followed: row 5, column 6",
        "becomes 0",
        "batch norm",
    ):
        assert part in steps
    assert "= conv1.pool (the number of the map)" in steps
    assert "mean is taken off" in told


def test_a_place_can_be_clicked_or_typed(browser: Browser, asked: Asked) -> None:
    app = look(unit="1", place="2,3")
    browser.click = (browser.places, [4, 5])
    app.run()
    assert address(app)["place"] == "4,5"
    app.run()
    app.number_input(key="inspector_maps_row").set_value(0).run()
    assert_clean(app)
    assert address(app)["place"] == "0,5"
    assert requests(asked, "unit")[-1]["row"] == 0
    app.number_input(key="inspector_maps_unit").set_value(2).run()
    assert_clean(app)
    assert address(app)["unit"] == "2"
    assert header(browser.grids)["chosen"] == 2


def test_a_unit_of_another_page_is_asked_for_alone(browser: Browser, asked: Asked) -> None:
    app = look(layer="conv2", unit=str(MANY - 1))
    assert_clean(app)
    alone = requests(asked, "feature_maps")[-1]
    assert (alone["first"], alone["count"]) == (MANY - 1, 1)
    assert header(browser.places)["place"] == [1, 1]


def test_branches_can_be_followed(browser: Browser) -> None:
    app = look(layer="conv2", unit="1", place="1,0")
    assert_clean(app)
    assert "Branches <i>add up</i>." in words(app)
    assert "a &lt;b&gt;" in words(app)
    (follow,) = [button for button in app.button if button.label.startswith("Follow")]
    follow.click().run()
    assert_clean(app)
    assert address(app) == {"layer": "conv1", "unit": "1", "place": "1,0"}


def test_a_unit_leads_to_what_excites_it(browser: Browser) -> None:
    app = look(unit="1", place="2,3", page="1")
    app.button(key="inspector_maps_excites").click().run()
    assert_clean(app)
    assert address(app) == {"view": "excites", "layer": "conv1", "unit": "1"}


def test_a_map_of_one_number_is_shown(browser: Browser) -> None:
    app = look(layer="conv3", unit="0")
    assert_clean(app)
    assert header(browser.places)["place"] == [0, 0]


@pytest.mark.parametrize(
    "link",
    [
        {"layer": "<b>fc</b>"},
        {"layer": "x" * 5_000},
        {"unit": "-1"},
        {"unit": "4"},
        {"unit": "٣"},
        {"unit": "9" * 5_000},
        {"unit": "1", "place": "6,0"},
        {"unit": "1", "place": "0"},
        {"unit": "1", "place": "a,b"},
        {"unit": "1", "place": "1,2,3"},
        {"scale": "wide"},
        {"order": "<script>"},
        {"page": "0"},
        {"page": "2"},
        {"page": "1e3"},
    ],
)
def test_what_a_link_cannot_mean_is_said_once(browser: Browser, link: dict[str, str]) -> None:
    app = look(**link)
    assert_clean(app)
    assert len(app.warning) == 1
    assert len(app.warning[0].value) < 400
    assert browser.grids, "the rest is shown"


def test_nothing_jumps_while_another_picture_is_on_its_way(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    app = look(unit="1", place="2,3")
    answered = threading.Event()

    def late(request: Mapping[str, Any]) -> Answer:
        answered.wait(20)
        return feature_maps(request)

    monkeypatch.setitem(ANSWERS, "feature_maps", late)
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 0.05)
    drawn = len(browser.grids), len(browser.places)
    app.segmented_control(key="inspector_maps_order").set_value("strength").run()
    answered.set()
    assert_clean(app)
    assert len(browser.grids) == drawn[0] + 1, "the last maps stay, dimmed"
    assert len(browser.places) == drawn[1]
    assert "min-height:60rem" in words(app), "and so does the height of what is below"


def test_another_layer_shows_no_maps_of_the_last_one(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    app = look()
    answered = threading.Event()
    monkeypatch.setitem(ANSWERS, "feature_maps", lambda request: answered.wait(20) and feature_maps(request))
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 0.05)
    drawn = len(browser.grids)
    app.button(key="inspector_maps_step1").click().run()
    answered.set()
    assert_clean(app)
    assert len(browser.grids) == drawn
    assert app.get("progress")


def test_a_network_without_maps_says_so(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "layers", lambda request: Answer({"layers": [], "last": "", "size": SIZE}))
    app = look()
    assert_clean(app)
    assert "No layer of this network leaves maps" in words(app)


def test_without_a_service_one_sentence_says_so(browser: Browser, broken_service: None) -> None:
    app = look()
    assert [each.value for each in app.error] == ["The service is not there. Try again."]


def test_only_places_of_the_map_are_taken() -> None:
    assert read_place([1, 2], 2, 3) == (1, 2)
    for nonsense in ([2, 0], [0, 3], [-1, 0], [True, 0], [0.5, 0], [0], "1,2", None, [0, 0, 0], {"a": 1}):
        assert read_place(nonsense, 2, 3) is None


def test_downloads_hold_what_is_shown() -> None:
    values = np.array([[0.0, 1.0], [2.0, 3.5]], np.float32)
    assert _map_table(values) == "0,1\n2,3.5\n"
    shown = MapOnImage(
        values=values,
        low=0.0,
        high=3.5,
        pixels=np.full((SIZE, SIZE, 1), 7, np.uint8),
        rows=np.zeros((2, 2)),
        columns=np.zeros((2, 2)),
        map_words="",
        image_words="",
    )
    picture = np.asarray(Image.open(io.BytesIO(_map_picture(shown))))
    assert picture.shape == (448, 448, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 4, "four flat squares"
    boxed = np.asarray(Image.open(io.BytesIO(_boxed(shown.pixels, (0, 0, 6, 12)))))
    assert {tuple(pixel) for pixel in boxed[:6, 200]} == {(0, 0, 0), (255, 255, 255), (7, 7, 7)}
    assert boxed[-1, -1].tolist() == [7, 7, 7]


def test_the_table_of_a_sum_adds_up() -> None:
    answer = unit({"layer": "conv1"})
    lines = _table(_terms(answer, answer.data["source"])).splitlines()
    assert lines[0] == "channel,row,column,patch,weight,product"
    assert len(lines) == 1 + 27
    assert sum(float(line.rsplit(",", 1)[1]) for line in lines[1:]) == pytest.approx(1.8, abs=1e-5)


def test_a_file_name_is_safe() -> None:
    odd = Look(network="run:a", title="../A <b>/net", stamp="", picture="", size=1, classes=())
    assert file_name(odd, "conv1.act", "maps", ".png") == "A-b-net-conv1.act-maps.png"

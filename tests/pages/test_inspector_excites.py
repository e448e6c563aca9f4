"""The view What excites it: real images, all units, an image that grows; links of any kind; opening a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.errors import DataError
from pages.components import inspector_excites_overview, inspector_excites_patches, inspector_excites_synthesis
from pages.components.inspector_excites_patches import COUNT, pictures_of
from pages.components.inspector_excites_synthesis import picture_html, said_words
from pages.components.inspector_excites_target import Target
from pages.components.inspector_link import Look
from pages.components.inspector_maps_tiles import Tiles
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.transfer_runs import words

Asked = list[tuple[str, Mapping[str, Any]]]
CLASSES = ("cat", "dog <b>", "_bird_")
LAYERS = {"conv1": (20, 12, 12), "conv1.pool": (20, 12, 12), "conv2": (70, 4, 4)}
DEAD = 13


def layers(request: Mapping[str, Any]) -> Answer:
    facts = {"kernel": None, "stride": None, "padding": None, "receptive_field": 6, "jump": 2, "start": 3.0}
    found = [
        {"name": name, "kind": "block", "shape": shape, **facts, "passes_all": True, "is_tap": "." not in name}
        for name, shape in LAYERS.items()
    ]
    return Answer({"layers": found, "last": "conv2", "size": 28})


def patches(request: Mapping[str, Any]) -> Answer:
    """Two dogs and a cat for each, nothing for the dead one."""
    count = 0 if request["unit"] == DEAD else 3
    found = [
        {
            "picture": f"data:mnist5k:validation:{7 + place}",
            "label": CLASSES[1 if place else 0],
            "value": 9.5 - place,
            "row": place,
            "column": 2,
            "box": [0, 4, 6, 10],
            "middle": [3.0, 7.0],
        }
        for place in range(count)
    ]
    facts = {
        "pending": False,
        "patches": found,
        "scanned": 200,
        "total": 1_000,
        "num_units": 20,
        "dead": [3, DEAD],
        "active": 0.625,
        "median": 1.5,
        "classes": [{"name": CLASSES[1], "count": 2, "share": 0.25}, {"name": "cat", "count": 1, "share": 0.5}],
    }
    arrays = {"patches": np.full((count, 6, 6, 1), 50, np.uint8)}
    if request["whole"]:
        arrays["images"] = np.full((count, 28, 28, 1), 90, np.uint8)
    return Answer(facts, arrays)


def units(request: Mapping[str, Any]) -> Answer:
    count = LAYERS[request["layer"]][0] if request["layer"] else len(CLASSES)
    found = [
        {"unit": unit, "value": 2.0, "active": 0.5, "dead": unit == DEAD, "label": "cat"}
        for unit in range(request["first"], min(request["first"] + request["count"], count))
    ]
    facts = {"pending": False, "units": found, "num_units": count, "num_dead": 1, "scanned": 200, "total": 1_000}
    return Answer(facts, {"patches": np.zeros((len(found), 6, 6, 1), np.uint8)})


def synthesis(request: Mapping[str, Any], *, done: int = 128) -> Answer:
    names = ("network", "layer", "unit", "aim", "seed")
    facts = {**{name: request[name] for name in names}, "pending": done < 128, "done": done, "total": 128}
    facts |= {"before": 0.0, "value": 12.5} | ({"said": CLASSES[1], "share": 0.997} if done == 128 else {})
    return Answer(facts, {"image": np.full((28, 28, 1), done, np.uint8)})


def page() -> None:
    from pages.components.inspector_excites import show_excites
    from pages.components.inspector_link import Look, param
    from tests.pages.test_inspector_excites import CLASSES

    picture = param("picture")
    look = Look(network="run:cccccc", title="Zoo *1*", stamp="1", picture=picture, size=28, classes=CLASSES, channels=1)
    show_excites(look)


@pytest.fixture
def shown() -> dict[str, tuple[Tiles, Any]]:
    """The grids that were drawn, with what a choice in them does."""
    return {}


@pytest.fixture
def view(asked: Asked, monkeypatch: pytest.MonkeyPatch, shown: dict[str, tuple[Tiles, Any]]) -> AppTest:
    """The view, not drawn yet."""
    questions = {"layers": layers, "exciting_patches": patches, "exciting_units": units, "synthesis": synthesis}
    for name, answer in questions.items():
        monkeypatch.setitem(ANSWERS, name, answer)
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 20.0)
    monkeypatch.setattr("pages.components.inspector_images._titles", lambda look: {"": "Its own", "data:mnist5k": "5k"})

    def choose(tiles: Tiles, *, key: str, on_choose: Any, **_: Any) -> None:
        shown[key] = tiles, on_choose

    monkeypatch.setattr(inspector_excites_patches, "choose_tile", choose)
    monkeypatch.setattr(inspector_excites_overview, "choose_tile", choose)
    return AppTest.from_function(page, default_timeout=30)


def follow(view: AppTest, **params: str) -> AppTest:
    """Open the view by a link; `class_` for that one."""
    for name, value in params.items():
        view.query_params[name.rstrip("_")] = value
    return view.run()


def last(asked: Asked, question: str) -> Mapping[str, Any]:
    return [request for name, request in asked if name == question][-1]


def warned(view: AppTest) -> list[str]:
    return [each.value.replace("\\", "") for each in view.warning]


# Real images


def test_a_unit_shows_its_strongest_places_and_what_they_are(
    view: AppTest, asked: Asked, shown: dict[str, Any]
) -> None:
    follow(view)
    assert_clean(view)
    assert not view.warning
    assert last(asked, "exciting_patches") == {
        "network": "run:cccccc", "stamp": "1", "images": "run:cccccc", "split": "validation", "most_images": 1_000,
        "layer": "conv1", "unit": 0, "count": COUNT, "whole": False,
    }  # fmt: skip
    tiles, _ = shown["inspector_excites_grid"]
    assert tiles.labels == ["cat · 9.5", "dog <b> · 8.5", "dog <b> · 7.5"]
    assert tiles.pictures.shape == (3, 6, 6, 3)
    told = words(view)
    assert "**2 of the 3** strongest are *dog <b>*; 25 % of the 200 images searched are." in told
    assert "half of the images reach at most 1.5" in told
    assert "above 0 somewhere on 62 % of them" in told
    assert "2 of the 20 units of this layer are dead on these images: 3, 13." in told
    assert "extremes" in told
    assert any("dog \\<b\\>" in each.value for each in view.markdown), "names are no HTML"


def test_a_choice_opens_the_picture_at_its_place(view: AppTest, shown: dict[str, Any]) -> None:
    follow(view, unit="4")
    on_choose = shown["inspector_excites_grid"][1]
    changed: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspector_excites_patches, "change_link", lambda **values: changed.update(values))
        on_choose(1)
    assert changed == {"picture": "data:mnist5k:validation:8", "place": "1,2"}
    follow(view, picture="data:mnist5k:validation:8")
    view.button(key="inspector_excites_map").click().run()
    assert {name: address(view)[name] for name in ("view", "layer", "unit")} == {
        "view": "maps", "layer": "conv1", "unit": "4",
    }  # fmt: skip


def test_whole_images_have_frames(view: AppTest, asked: Asked, shown: dict[str, Any]) -> None:
    follow(view)
    view.toggle(key="inspector_excites_whole").set_value(True).run()
    assert address(view)["whole"] == "1"
    assert last(asked, "exciting_patches")["whole"]
    picture = pictures_of(patches({"unit": 0, "whole": True}))[0]
    assert picture.shape == (160, 160, 3)
    assert picture.max() == 255
    assert (picture[-1, -1] == 90).all()


def test_a_dead_unit_is_a_sentence(view: AppTest) -> None:
    follow(view, unit=str(DEAD))
    assert_clean(view)
    assert [each.value for each in view.info] == [
        "This unit is dead: it answers the same to every place of the 200 images. Choose another one."
    ]


def test_a_class_is_excited_by_whole_images(view: AppTest, asked: Asked) -> None:
    follow(view)
    view.segmented_control(key="inspector_excites_kind").set_value("class").run()
    assert address(view)["class"] == "0"
    view.selectbox(key="inspector_excites_class").set_value(2).run()
    assert_clean(view)
    request = last(asked, "exciting_patches")
    assert (request["layer"], request["unit"], request["whole"]) == ("", 2, False)
    assert "units of this layer" not in words(view)
    view.segmented_control(key="inspector_excites_kind").set_value("unit").run()
    assert "class" not in address(view)


def test_surprises_are_units_of_the_layer(view: AppTest, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.components.inspector_excites_target.random.randrange", lambda count: count - 1)
    follow(view, layer="conv2")
    view.button(key="inspector_excites_random").click().run()
    assert address(view)["unit"] == "69"
    assert last(asked, "exciting_patches")["unit"] == 69


def test_another_number_of_images_is_in_the_link(view: AppTest, asked: Asked) -> None:
    follow(view)
    view.segmented_control(key="inspector_excites_most").set_value("200").run()
    assert address(view)["most"] == "200"
    assert last(asked, "exciting_patches")["most_images"] == 200


def test_the_sheet_is_a_picture() -> None:
    target = Target(layer="conv1", unit=0, count=20, title="unit 0 of conv1", group="unit")
    look = Look(network="run:cccccc", title="Zoo", stamp="1", picture="", size=28, classes=CLASSES)
    content = inspector_excites_patches._sheet(look, target, patches({"unit": 0, "whole": True}))
    assert Image.open(io.BytesIO(content)).width > 3 * 96


# All units


def test_all_units_page_by_page(view: AppTest, asked: Asked, shown: dict[str, Any]) -> None:
    follow(view, part="units", layer="conv2", page="2")
    assert_clean(view)
    request = last(asked, "exciting_units")
    assert (request["first"], request["count"]) == (64, 64)
    tiles, on_choose = shown["inspector_excites_units"]
    assert list(tiles.keys) == list(range(64, 70))
    assert "70 units, 1 of them dead; 200 of 1,000 images searched." in words(view)
    changed: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspector_excites_overview, "change_link", lambda **values: changed.update(values))
        on_choose(66)
    assert changed == {"unit": "66", "part": "patches", "place": ""}
    follow(view, page="1", layer="conv1")
    assert shown["inspector_excites_units"][0].words[DEAD] == "Unit 13: dead on these images"


def test_all_classes_have_their_names(view: AppTest, shown: dict[str, Any]) -> None:
    follow(view, part="units", class_="1")
    assert shown["inspector_excites_units"][0].labels == list(CLASSES)


# Made for it


def test_a_finished_image_with_what_the_network_makes_of_it(view: AppTest, asked: Asked) -> None:
    follow(view, part="synthesized", unit="5", seed="77")
    assert_clean(view)
    assert last(asked, "synthesis") == {
        "network": "run:cccccc", "stamp": "1", "layer": "conv1", "unit": 5, "aim": "mean", "seed": 77,
    }  # fmt: skip
    told = words(view)
    assert "takes this image for **dog <b>** (99.7 %). It is certain" in told
    html = " ".join(element.proto.body for element in view.get("html"))
    assert "alt='Made to excite unit 5 of conv1'" in html
    assert "12.5" in html
    view.segmented_control(key="inspector_excites_aim").set_value("middle").run()
    assert last(asked, "synthesis")["aim"] == "middle"
    view.button(key="inspector_excites_again_seed").click().run()
    assert last(asked, "synthesis")["seed"] == int(address(view)["seed"]) != 77


def test_a_growing_image_can_be_stopped_and_goes_on(
    view: AppTest, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWERS, "synthesis", partial(synthesis, done=40))
    follow(view, part="synthesized")
    assert view.get("progress")[0].proto.text == "Step 40 of 128"
    view.button(key="inspector_excites_stop").click().run()
    stopped = len(asked)
    assert view.get("progress")[0].proto.text == "Stopped at step 40 of 128"
    view.run()
    assert len([name for name, _ in asked[stopped:] if name == "synthesis"]) == 0
    monkeypatch.setitem(ANSWERS, "synthesis", synthesis)
    view.button(key="inspector_excites_stop").click().run()
    view.run()
    assert view.get("progress")[0].proto.text == "Step 128 of 128"
    assert "certain" in words(view)


def test_real_images_stand_beside_it_once_they_were_seen(view: AppTest) -> None:
    follow(view, unit="5")
    follow(view, part="synthesized")
    html = " ".join(element.proto.body for element in view.get("html"))
    assert "Best real image" in html
    assert "lab-strip" in html
    follow(view, unit="6")
    view.button(key="inspector_excites_to_real").click().run()
    assert address(view)["part"] == "patches"


def test_an_image_of_another_unit_is_not_shown_as_this_ones(view: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "synthesis", lambda request: synthesis({**request, "unit": 9}, done=40))
    follow(view, part="synthesized", unit="5")
    assert not view.get("progress")
    assert inspector_excites_synthesis.picture_html(None, "") in [element.proto.body for element in view.get("html")]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"value": 3.0, "before": 0.0, "said": "*x*", "share": 0.2}, "takes this image for **\\*x\\*** (20.0 %)."),
        ({"value": 0.0, "before": 0.0, "said": "x", "share": 0.99}, "Nothing was found that excites this unit"),
    ],
)
def test_what_is_said_of_it_is_honest(facts: dict[str, Any], expected: str) -> None:
    told = said_words(Target(layer="conv1", unit=0, count=2, title="", group="unit"), facts)
    assert expected in told
    assert "certain" not in told


def test_small_images_are_crisp_and_words_are_no_html() -> None:
    small = Answer({}, {"image": np.zeros((28, 28, 1), np.uint8)})
    assert "image-rendering:pixelated" in picture_html(small, "'<b>")
    assert "<b>" not in picture_html(small, "'<b>")
    assert "image-rendering:auto" in picture_html(Answer({}, {"image": np.zeros((224, 224, 3), np.uint8)}), "")


# Links and errors


@pytest.mark.parametrize(
    ("params", "refused"),
    [
        ({"part": "<script>"}, "part of this view"),
        ({"layer": "conv9" * 100}, "layer of this network with maps"),
        ({"unit": "20"}, "unit of this layer (0 to 19)"),
        ({"unit": "-1"}, "unit of this layer"),
        ({"unit": "٣"}, "unit of this layer"),
        ({"class_": "3"}, "class of this network (0 to 2)"),
        ({"most": "10000000"}, "number of images"),
        ({"split": "all"}, "split"),
        ({"part": "units", "page": "9"}, "page (1 to 1)"),
        ({"part": "synthesized", "seed": "x"}, "seed"),
        ({"part": "synthesized", "aim": "left"}, "aim (mean, middle)"),
    ],
)
def test_a_value_that_cannot_be_is_one_warning(view: AppTest, params: dict[str, str], refused: str) -> None:
    follow(view, **params)
    assert_clean(view)
    assert len(warned(view)) == 1
    assert refused in warned(view)[0]


@pytest.mark.parametrize("part", ["patches", "units", "synthesized"])
def test_what_the_service_refuses_is_one_sentence(view: AppTest, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    def refuse(request: Mapping[str, Any]) -> Answer:
        raise DataError("There are no validation images.", "Choose another split.")

    for name in ("exciting_patches", "exciting_units", "synthesis"):
        monkeypatch.setitem(ANSWERS, name, refuse)
    follow(view, part=part)
    assert not view.exception
    assert [each.value for each in view.error] == ["There are no validation images. Choose another split."]


def test_a_network_without_maps_offers_its_classes(
    view: AppTest, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWERS, "layers", lambda request: Answer({"layers": [], "last": "", "size": 28}))
    follow(view)
    assert_clean(view)
    assert last(asked, "exciting_patches")["layer"] == ""

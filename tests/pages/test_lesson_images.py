"""The lesson on images: its numbers, its link, what the classics were fed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.catalog import DATASETS
from cnncore.catalog.imagenet import imagenet_classes
from cnncore.images.decode import open_rgb
from cnncore.images.drawing import example_digit, read_drawing
from cnncore.images.kept_pictures import kept_picture
from cnncore.images.picture_reference import parse_picture
from cnncore.lessons.images import to_hsv
from cnncore.lessons.pictures import SAMPLES
from pages.components.lesson_images import BATCH, SIDES, ImagesState, board_arrays, board_data
from pages.components.lesson_images_classics import own_reference
from pages.components.picture_choice import Choice
from tests.images.pictures import picture
from tests.pages.conftest import ANSWERS, address, assert_clean

Boards = list[tuple[ImagesState, Mapping[str, Any], Mapping[str, np.ndarray]]]


@pytest.fixture
def boards(monkeypatch: pytest.MonkeyPatch) -> Boards:
    """What the figure was given."""
    found: Boards = []

    def draw(name: str, state: ImagesState, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        found.append((state, data, arrays))

    monkeypatch.setattr("pages.components.lesson_images.draw_board", draw)
    return found


def opened(app: AppTest, **params: str) -> AppTest:
    app.switch_page("pages/learn.py")
    for name, value in {"lesson": "images", **params}.items():
        app.query_params[name] = value
    return app.run()


def test_every_size_of_the_picture_comes_along_with_all_its_planes() -> None:
    pictures = {side: SAMPLES["flower"].load(side) for side in SIDES}
    found = board_arrays(pictures, "gray")
    for side, start in zip(SIDES, found["starts"], strict=True):
        here = slice(start, start + side**2)
        pixels = pictures[side]
        np.testing.assert_array_equal(found["colors"][here].reshape(side, side, 3), pixels)
        np.testing.assert_array_equal(found["gray"][here].reshape(side, side), Image.fromarray(pixels).convert("L"))
        exact = to_hsv(pixels).reshape(-1, 3) * (1, 100, 100)
        apart = np.abs(found["hsv"][here] - exact)
        assert np.minimum(apart, np.abs(apart - 360)).max() <= 0.5
    assert found["hsv"].dtype == np.int16
    assert found["hsv"][:, 0].max() < len(found["wheel"]), "the script looks a whole degree up"


def test_a_gray_picture_has_one_plane() -> None:
    found = board_arrays({side: SAMPLES["digit"].load(side) for side in SIDES}, "hsv")
    assert set(found) == {"colors", "starts"}
    data = board_data(ImagesState(planes="hsv"), is_gray=True)
    assert data["planes"] == "gray"
    assert data["numbers"][28] == BATCH * 28 * 28
    assert data["strides"][28] == {"n": 784, "c": 784, "h": 28, "w": 1}


def test_strides_are_those_of_the_layout() -> None:
    first, last = (board_data(ImagesState(layout=layout), is_gray=False) for layout in ("chw", "hwc"))
    assert first["strides"][32] == {"n": 3072, "c": 1024, "h": 32, "w": 1}
    assert last["strides"][32] == {"n": 3072, "h": 96, "w": 3, "c": 1}
    assert (first["order"], last["order"]) == ("nchw", "nhwc")
    assert board_data(ImagesState(planes="gray"), is_gray=False)["strides"][32]["n"] == 1024


def test_the_link_says_everything(app: AppTest, boards: Boards) -> None:
    asked = {
        "picture": "palace", "side": "32", "planes": "hsv", "row": "3", "column": "31", "layout": "hwc", "place": "7"
    }  # fmt: skip
    opened(app, **asked)
    assert_clean(app)
    assert not app.warning
    state, data, _ = boards[-1]
    assert {name: str(value) for name, value in state.model_dump().items()} == asked
    assert data["planes"] == "hsv"
    app.button_group(key="learn_ImagesState_planes").set_value("rgb").run()
    assert address(app) == {name: value for name, value in asked.items() if name != "planes"} | {"lesson": "images"}
    assert boards[-1][1]["planes"] == "rgb"


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"side": "30"}, "8 to 64 in steps of 4"),
        ({"side": "9999999999"}, "8 to 64 in steps of 4"),
        ({"side": "wide"}, "side|resolution"),
        ({"planes": "cmyk"}, "rgb, hsv, gray"),
        ({"layout": "cwh"}, "chw, hwc"),
        ({"place": "8"}, "0 to 7"),
        ({"row": "-1"}, "0 to 63"),
        ({"side": "16", "row": "40"}, "16 × 16 pixels has no pixel in row 40"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_the_rest_stays(
    app: AppTest, boards: Boards, params: dict[str, str], sentence: str
) -> None:
    opened(app, column="5", **params)
    assert_clean(app)
    (warning,) = app.warning
    assert any(part in warning.value.replace("\\", "") for part in sentence.split("|"))
    assert boards[-1][0].column == 5
    assert address(app)["column"] == "5"


def texts(app: AppTest) -> str:
    return " ".join(each.value for each in [*app.markdown, *app.caption])


def test_the_classics_come_from_the_catalog(app: AppTest, boards: Boards) -> None:
    opened(app)
    assert_clean(app)
    shown = texts(app)
    assert "28 × 28 pixels, 1 channel: 784 numbers" in shown
    assert "32 × 32 pixels, 3 channels: 3,072 numbers" in shown
    assert "1,281,167 images to train with" in shown
    assert f"{len(imagenet_classes()):,} classes: tench" in shown
    assert "automobile" in shown
    size = sum(file.num_bytes for file in DATASETS["cifar10"].files)
    assert f"downloads them ({size / 1e6:.0f} MB)" in shown, "CIFAR-10 is not at hand here"


def test_without_the_service_the_lesson_goes_on(app: AppTest, boards: Boards, broken_service: None) -> None:
    opened(app)
    assert not app.exception
    assert [each.value for each in app.error] == ["The service is not there. Try again."]
    assert boards


@pytest.fixture
def strips(monkeypatch: pytest.MonkeyPatch) -> list[list[Choice]]:
    """Strips of which the third picture can be tapped: AppTest cannot operate them."""
    found: list[list[Choice]] = []

    def strip(choices: list[Choice], chosen: str, *, key: str, label: str) -> str | None:
        found.append(choices)
        return choices[2].name if st.button("tap", key=f"tap_{key}") else None

    def samples(request: Mapping[str, Any]) -> Answer:
        images = np.stack([example_digit()[..., None] // (place + 1) for place in range(3)])
        return Answer({"at_hand": True, "labels": [0, 1, 2]}, {"images": images})

    monkeypatch.setitem(ANSWERS, "samples", samples)
    monkeypatch.setattr("pages.components.lesson_images_classics.choose_picture_of", strip)
    return found


def test_a_digit_of_the_data_set_can_be_taken_apart(app: AppTest, boards: Boards, strips: list[list[Choice]]) -> None:
    opened(app)
    assert [choice.label for choice in strips[-1]] == ["0", "1", "2"]
    app.button(key="tap_learn_strip_mnist").click().run()
    assert_clean(app)
    kind, _, text = address(app)["picture"].partition(":")
    assert kind == "drawn"
    np.testing.assert_array_equal(read_drawing(text), example_digit() // 3)
    assert boards[-1][2]["colors"].shape[-1] == 1
    assert boards[-1][0].side == 28, "as many pixels as it has"
    assert app.button_group(key="learn_images_gray").disabled


def test_a_color_image_of_a_data_set_keeps_its_pixels(artifacts: Path) -> None:
    pixels = np.asarray(picture(4, 32, 32))
    found = parse_picture(own_reference(pixels))
    assert found.kind == "kept"
    np.testing.assert_array_equal(open_rgb(kept_picture(artifacts, found.source)), pixels)


def test_gray_images_are_told_by_their_size() -> None:
    assert own_reference(np.full((28, 28, 1), 7, np.uint8)).startswith("drawn:")
    assert own_reference(np.full((32, 32, 1), 7, np.uint8)).startswith("kept:")

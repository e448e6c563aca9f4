"""The lesson on Inception: its link, and the data its figures are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.lessons.mixing import MIXES, write_numbers
from cnncore.lessons.modules import GOOGLENET, build_module
from pages.components.lesson_inception import InceptionState, module_board, place_of
from pages.components.lesson_inception_parts import factorizations, pixel_board
from tests.pages.conftest import address, assert_clean, assert_refused

BRIGHT = write_numbers(MIXES["bright"].numbers)


REFUSED = {
    "view": ("?", "Allowed: module, factorize, pixel."),
    "kind": ("bare", "Allowed: reduced, naive."),
    "inputs": ("1025", "Allowed: 1 to 1024."),
    "side": ("0", "Allowed: 1 to 56."),
    "ones": ("x", "Allowed: 1 to 512."),
    "reduce3": ("0", "Allowed: 1 to 512."),
    "threes": ("513", "Allowed: 1 to 512."),
    "reduce5": ("1.5", "Allowed: 1 to 512."),
    "fives": ("-1", "Allowed: 1 to 512."),
    "pool": ("", "Allowed: 1 to 512."),
    "kernel": ("4", "Allowed: 3, 5, 7, 9, 11."),
    "channels": ("0", "Allowed: 1 to 512."),
    "numbers": ("1,2", "The numbers are 2. Allowed: 21 numbers"),
    "row": ("33", "Allowed: 0 to 32."),
    "column": ("33", "Allowed: 0 to 32."),
}


def open_lesson(app: AppTest, **fields: str) -> AppTest:
    app.switch_page("pages/learn.py")
    app.query_params["lesson"] = "inception"
    for name, value in fields.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kind": "naive", "inputs": "1024", "side": "56", "ones": "512", "threes": "512", "fives": "1"},
        {"reduce3": "1", "reduce5": "512", "pool": "7"},
        {"view": "factorize", "kernel": "11", "channels": "512"},
        {"view": "pixel", "picture": "digit", "row": "32", "column": "1", "numbers": BRIGHT},
    ],
)
def test_every_link_draws_without_a_complaint(app: AppTest, fields: dict[str, str]) -> None:
    open_lesson(app, **fields)
    assert_clean(app)
    assert not app.warning


def test_what_a_link_cannot_say_is_one_warning_each(app: AppTest) -> None:
    open_lesson(app, **{name: value for name, (value, _) in REFUSED.items()})
    assert_refused(app, REFUSED)


def test_a_module_of_googlenet_sets_all_widths(app: AppTest) -> None:
    open_lesson(app, kind="naive")
    app.button_group(key="learn_inception_place").set_value("4d").run()
    assert_clean(app)
    expected = {"kind": "naive", "inputs": "512", "side": "14", "ones": "112", "reduce3": "144", "threes": "288"}
    assert address(app) == {"lesson": "inception", **expected, "pool": "64", "fives": "64", "reduce5": "32"}
    app.button_group(key="learn_inception_place").set_value("3a").run()
    assert address(app) == {"lesson": "inception", "kind": "naive"}


def test_a_preset_of_the_network_for_a_pixel_sets_its_numbers(app: AppTest) -> None:
    open_lesson(app, view="pixel")
    app.button_group(key="learn_inception_mix").set_value(BRIGHT).run()
    assert_clean(app)
    assert address(app)["numbers"] == BRIGHT


@pytest.mark.parametrize("name", GOOGLENET)
def test_the_figure_has_the_numbers_of_the_module(name: str) -> None:
    place = GOOGLENET[name]
    state = InceptionState(inputs=place.inputs, side=place.side, **vars(place.widths))
    data = module_board(state)
    module = build_module("reduced", place.inputs, place.widths)
    facts = data["modules"]["reduced"]
    assert (facts["channels"], facts["params"], facts["macs"]) == (
        module.channels,
        module.params,
        module.macs(place.side),
    )
    macs = [each["macs"] for branch in facts["branches"] for each in branch["convolutions"]]
    assert sum(macs) == facts["macs"]
    assert data["ratios"]["macs"] == data["modules"]["naive"]["macs"] / facts["macs"]
    assert data["most_macs"] >= max(macs)
    assert data["chains"]["reduced"]["channels"] == [module.channels] * 9
    assert data["chain_ratio"] == data["chains"]["naive"]["macs"] / data["chains"]["reduced"]["macs"]
    assert place_of(state) == name


def test_widths_of_ones_own_are_no_module_of_googlenet() -> None:
    assert place_of(InceptionState(ones=63)) is None


def test_windows_that_are_taken_apart() -> None:
    data, arrays = factorizations()
    five = next(each for each in data["kernels"] if each["kernel"] == 5)
    assert [(form["name"], form["per_pair"]) for form in five["forms"]] == [
        ("whole", 25),
        ("stacked", 18),
        ("split", 10),
    ]
    assert arrays["weights_5_stacked"][63] == 18 * 64 * 64
    assert arrays["macs_7_split"][1] == 2 * 7 * 4 * 17 * 17
    for each in data["kernels"]:
        assert {tuple(form["field"]) for form in each["forms"]} == {(each["kernel"],) * 2}


def test_the_network_for_a_pixel_has_the_same_sums_everywhere() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    data, arrays = pixel_board(pixels, BRIGHT, (0, 5))
    assert data["pixel"] == [15, 4]
    assert data["apart"] < 1e-12
    assert data["words"] == MIXES["bright"].words
    lightness = pixels.astype(np.float64) @ (0.299, 0.587, 0.114) / 255 - 0.6
    np.testing.assert_allclose(arrays["sums"][0], lightness, atol=1e-6)
    np.testing.assert_allclose(arrays["output"][0], 2.5 * np.maximum(lightness, 0), atol=1e-6)


def test_gray_pictures_have_three_channels_alike() -> None:
    data, arrays = pixel_board(np.full((32, 32, 1), 51, np.uint8), ",".join(["1"] * 21), (1, 32))
    assert data["pixel"] == [0, 31]
    assert data["words"] == "Your own numbers."
    np.testing.assert_allclose(arrays["image"], 0.2, atol=1e-7)

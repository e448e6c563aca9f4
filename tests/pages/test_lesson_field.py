"""The lesson on receptive fields: its link, and the data its figures are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.catalog.zoo import zoo
from cnncore.lessons.reach import STACKS, reach
from pages.components.lesson_field import FieldState, chosen_stack, chosen_unit, unit_board
from pages.components.lesson_field_compare import compared, depths, networks
from tests.pages.conftest import address, assert_clean, assert_refused

REFUSED = {
    "view": ("banana", "Allowed: unit, compare, deeper, networks."),
    "stack": ("four", "Allowed: three, one, lenet5, vgg, strides, dilated, own."),
    "layers": ("9", "Allowed: 1 to 8."),
    "kernel": ("x", "Allowed: 1 to 7."),
    "stride": ("0", "Allowed: 1 to 3."),
    "dilation": ("5", "Allowed: 1 to 4."),
    "padded": ("maybe", "Allowed: true, false."),
    "layer": ("-1", "Allowed: 0 to 8."),
    "row": ("49", "Allowed: 0 to 48."),
    "column": ("1.5", "Allowed: 0 to 48."),
    "effective": ("?", "Allowed: true, false."),
    "channels": ("0", "Allowed: 1 to 512."),
    "depth": ("41", "Allowed: 1 to 40."),
}


def open_lesson(app: AppTest, **fields: str) -> AppTest:
    app.switch_page("pages/learn.py")
    app.query_params["lesson"] = "field"
    for name, value in fields.items():
        app.query_params[name] = value
    return app.run()


def board(**fields: object) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    state = FieldState.model_validate(fields)
    side = chosen_stack(state).side
    gray = np.arange(side * side, dtype=np.uint8).reshape(side, side)
    return unit_board(gray[..., None], gray, state)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"view": "compare", "channels": "512"},
        {"view": "deeper", "depth": "40"},
        {"view": "networks"},
        {"stack": "lenet5", "layer": "2", "row": "14", "column": "1", "effective": "true", "picture": "digit"},
        {"stack": "own", "layers": "8", "kernel": "7", "stride": "3", "dilation": "4", "padded": "false"},
    ],
)
def test_every_link_draws_without_a_complaint(app: AppTest, fields: dict[str, str]) -> None:
    open_lesson(app, **fields)
    assert_clean(app)
    assert not app.warning


def test_what_a_link_cannot_say_is_one_warning_each(app: AppTest) -> None:
    open_lesson(app, **{name: value for name, (value, _) in REFUSED.items()})
    assert_refused(app, REFUSED)


def test_another_stack_forgets_the_unit_and_keeps_the_rest(app: AppTest) -> None:
    open_lesson(app, stack="vgg", layer="2", row="40", column="3", effective="true", picture="flower")
    app.button_group(key="learn_FieldState_stack").set_value("strides").run()
    assert_clean(app)
    expected = {"lesson": "field", "stack": "strides", "effective": "true", "picture": "flower"}
    assert address(app) == expected


@pytest.mark.parametrize("stack", [*STACKS, "own"])
def test_the_figure_is_drawn_from_what_the_arithmetic_says(stack: str) -> None:
    data, arrays = board(stack=stack)
    windows = chosen_stack(FieldState.model_validate({"stack": stack})).windows
    found = reach(windows, chosen_stack(FieldState.model_validate({"stack": stack})).side)
    assert data["sizes"] == found.sizes
    assert data["fields"] == found.fields
    assert data["unit"] == [len(windows) - 1, *[(found.sizes[-1] - 1) // 2] * 2]
    assert data["problem"] == data["outside"] == ""
    assert (arrays["spans"] == found.spans).all()
    bits = np.unpackbits(arrays["touched"], axis=-1, count=max(found.sizes))
    assert (bits == found.touched).all()
    for place, size in enumerate(found.sizes[1:]):
        assert arrays[f"map{place}"].shape == (size, size)
    assert arrays["image"].shape == (found.sizes[0], found.sizes[0], 3)


def test_an_impossible_layer_is_one_sentence_and_the_ones_before_it_are_shown() -> None:
    data, arrays = board(stack="own", layers=3, kernel=7, stride=3, dilation=2, padded=False)
    assert data["sizes"] == (48, 12)
    assert str(data["problem"]).startswith("Layer 2 is impossible: A window of 13 pixels does not fit into 12 pixels")
    assert "map1" not in arrays


def test_no_layer_at_all_still_shows_the_image() -> None:
    found = reach((), 8)
    assert chosen_unit(FieldState(layer=3), found) == ((0, 0, 0), "")


def test_a_unit_that_the_stack_has_not_is_one_sentence() -> None:
    found = reach(STACKS["lenet5"].windows, 32)
    place, outside = chosen_unit(FieldState(layer=4, row=6), found)
    assert place == (3, 2, 2)
    assert outside == "Layer 4 has 5 × 5 units, none at row 6, column 3; one in its middle is shown."
    place, outside = chosen_unit(FieldState(layer=6), found)
    assert place == (4, 0, 0)
    assert outside == "This stack has no layer 6; a unit of the last one is shown."
    assert chosen_unit(FieldState(layer=2, row=14, column=1), found) == ((1, 13, 0), "")


def test_three_small_windows_against_a_large_one() -> None:
    data, arrays = compared()
    three, one = data["stacks"]
    assert three["field"] == one["field"] == 7
    assert (three["per_pair"], one["per_pair"]) == (27, 49)
    assert arrays["three_params"][63] == 27 * 64 * 64
    assert arrays["one_macs"][63] == 49 * 64 * 64 * 56 * 56
    assert (arrays["one"] == 1).all()
    assert arrays["three"].max() == 1 > arrays["three"][0, 0]


def test_deeper_stacks_lie_around_the_middle() -> None:
    data, arrays = depths()
    assert data["fields"][:3] == [3, 5, 7]
    assert all(effective <= field for effective, field in zip(data["effective"], data["fields"], strict=True))
    assert np.isfinite(arrays["lines"]).sum(axis=1).tolist() == data["fields"]
    assert (arrays["lines"][:, 40] == 1).all()


def test_real_networks_are_those_of_the_catalog() -> None:
    rows = networks()["networks"]
    assert [row["title"] for row in rows][:2] == ["LeNet-5", "ResNet-20"]
    assert [row["field"] for row in rows if row["title"] == "ResNet-50"] == [zoo()["resnet50"].receptive_field]
    assert all(row["share"] == row["field"] / row["side"] for row in rows)

"""The figure of the lesson on augmentation: its links, and what its boards are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.catalog.augmentations import AUGMENTATIONS
from cnncore.lessons.augmenting import DIALS, KINDS
from pages.components.lesson_augmentation import SIDE, draws_board, other_picture, transform_board
from pages.components.lesson_augmentation_labels import AT_ONCE, CHANGES, labels_board
from pages.components.lesson_augmentation_state import AugmentationState
from pages.components.lesson_picture import Picture, load_picture
from tests.pages.conftest import ANSWERS, address, assert_clean

MOST_BYTES = 1_000_000


def opened(app: AppTest, **params: str) -> AppTest:
    app.switch_page("pages/learn.py")
    for name, value in {"lesson": "augmentation", **params}.items():
        app.query_params[name] = value
    return app.run()


def picture(reference: str) -> Picture:
    return load_picture(reference, SIDE)


def test_the_lesson_opens(app: AppTest) -> None:
    opened(app)
    assert_clean(app)
    assert not app.warning
    (pills,) = (each for each in app.button_group if each.label == "Transform")
    assert pills.options == [spec.title for spec in AUGMENTATIONS.values()]


@pytest.mark.parametrize("kind", ["crop_padding", "flip_vertical", "cutmix"])
def test_a_transform_has_a_link(app: AppTest, kind: str) -> None:
    dials = {dial.name: str(dial.high) for dial in KINDS[kind].dials}
    opened(app, kind=kind, picture="digit", strength=str(AUGMENTATIONS[kind].maximum), seed="7", **dials)
    assert_clean(app)
    assert not app.warning


def test_another_transform_leaves_the_strength_behind(app: AppTest) -> None:
    opened(app, kind="rotation", strength="90", degrees="45", seed="3")
    (pills,) = (each for each in app.button_group if each.label == "Transform")
    pills.set_value("hue").run()
    assert_clean(app)
    assert address(app) == {"lesson": "augmentation", "kind": "hue", "degrees": "45", "seed": "3"}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"kind": "melt"}, "'melt' cannot be taken"),
        ({"degrees": "400"}, "Allowed: -180 to 180"),
        ({"degrees": "round"}, "'round' cannot be taken"),
        ({"seed": "-1"}, "Allowed: 0 to 9999"),
        ({"strength": "nan"}, "'nan' cannot be taken"),
        ({"view": "all"}, "Allowed: transform, label"),
    ],
)
def test_what_a_link_cannot_say_is_one_sentence(app: AppTest, params: dict[str, str], said: str) -> None:
    opened(app, **params)
    assert_clean(app)
    (warning,) = app.warning
    assert said in warning.value.replace("\\", "")


def test_a_strength_of_another_unit_is_one_sentence(app: AppTest) -> None:
    opened(app, kind="hue", strength="10")
    assert not app.exception
    assert [error.value.replace("\\", "") for error in app.error] == [
        "The strength of “Hue” is 10, at most 0.5 (turns of the color wheel) is possible. "
        "Choose the transform anew, or correct the link."
    ]
    assert address(app)["strength"] == "10"


@pytest.mark.parametrize("reference", ["palace", "digit"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_the_boards_are_given(kind: str, reference: str) -> None:
    chosen = picture(reference)
    other = other_picture(chosen)
    assert other.reference != reference
    assert other.pixels.shape == chosen.pixels.shape
    data, arrays = transform_board(kind, chosen, other)
    assert [len(dial["words"]) for dial in data["dials"]] == [len(dial.places) for dial in KINDS[kind].dials]
    assert sum(array.nbytes for array in arrays.values()) < MOST_BYTES
    assert ("other" in arrays) == AUGMENTATIONS[kind].mixes == bool(data["labels"])
    state = AugmentationState(kind=kind, strength=AUGMENTATIONS[kind].maximum)
    data, arrays = draws_board(state, chosen, other)
    assert len(data["words"]) == round(AUGMENTATIONS[kind].maximum / AUGMENTATIONS[kind].step) + 1
    assert arrays["sheet"].nbytes < MOST_BYTES / 4
    assert bool(data["says"]) == AUGMENTATIONS[kind].mixes


def test_words_of_a_strength() -> None:
    flower = picture("flower")
    data, _ = draws_board(AugmentationState(kind="zoom", strength=0.1), flower, other_picture(flower))
    assert data["words"][10] == "90 % to 110 %"
    assert (data["num"], data["label"], data["smooth"]) == (12, "flower", True)


def test_dials_and_fields_have_the_same_ranges() -> None:
    for name, dial in DIALS.items():
        field = AugmentationState.model_fields[name]
        assert (field.default, field.title) == (dial.start, dial.title)
        np.testing.assert_array_equal([dial.places[0], dial.places[-1]], [dial.low, dial.high])


@pytest.mark.parametrize("change", CHANGES)
def test_digits_are_measured_at_every_place(
    app: AppTest, asked: list[tuple[str, Mapping[str, Any]]], change: str
) -> None:
    opened(app, view="label", change=change, digit="9")
    assert_clean(app)
    assert not app.warning
    dial, places = CHANGES[change]
    assert [place for name, request in asked for place in request["places"]] == list(places)
    assert {(name, request["dial"]) for name, request in asked} == {("changed_digits", dial)}
    assert max(len(request["places"]) for _, request in asked) <= AT_ONCE
    assert "Chest X-rays" in app.expander[0].markdown[0].value


def test_digits_without_the_service_are_one_sentence(app: AppTest, broken_service: None) -> None:
    opened(app, view="label")
    assert not app.exception
    assert [error.value for error in app.error] == ["The service is not there. Try again."]


def test_what_the_digits_board_is_given() -> None:
    dial, places = CHANGES["rotation"]
    answers = [
        ANSWERS["changed_digits"]({"places": places[start : start + AT_ONCE]})
        for start in range(0, len(places), AT_ONCE)
    ]
    data, arrays = labels_board(AugmentationState(view="label"), answers)
    assert (data["dial"], data["places"]) == (dial, list(places))
    assert len(data["words"]) == len(places) == len(arrays["examples"])
    assert data["words"][0] == "−180°"
    at_zero = list(places).index(0)
    assert arrays["counts"][at_zero, 6, 6] == arrays["counts"][at_zero + 1, 6, 9] == 50
    for kind, (name, numbers) in CHANGES.items():
        assert set(numbers) <= set(DIALS[name].places), kind

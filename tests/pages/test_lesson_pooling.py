from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.errors import ConfigError
from cnncore.lessons.pictures import SAMPLES
from cnncore.lessons.sliding import pool
from cnncore.lessons.transforms import shift
from pages.components.lesson_pooling import SHIFTS, SIDE, WINDOWS, PoolingState, pooling_arrays
from tests.pages.conftest import assert_clean


def opened(app: AppTest, **params: str) -> AppTest:
    app.switch_page("pages/learn.py")
    for name, value in {"lesson": "pooling", **params}.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.parametrize(
    "params",
    [{}, {"picture": "shapes", "kind": "average", "right": "-4", "down": "3", "at": "overlapping.6.6"}],
)
def test_the_lesson_opens(app: AppTest, params: dict[str, str]) -> None:
    opened(app, **params)
    assert_clean(app)
    assert app.warning == []
    assert app.button_group[-1].value == params.get("kind", "max")


def test_what_a_link_cannot_say_is_told(app: AppTest) -> None:
    opened(app, right="9", down="a", kind="median", at="image.1.1", picture="nothing")
    assert_clean(app)
    told = " ".join(warning.value.replace("\\", "") for warning in app.warning)
    assert len(app.warning) == 5
    assert "shift to the right '9' cannot be taken. Allowed: -4 to 4." in told
    assert "shift down 'a' cannot be taken. Allowed: -4 to 4." in told
    assert "kind 'median' cannot be taken. Allowed: max, average." in told
    assert "chosen place 'image.1.1' cannot be taken. There is no such place." in told
    assert "picture 'nothing' cannot be taken." in told


@pytest.mark.parametrize("place", ["overlapping.7.0", "apart.1", "apart.8.8", "image.1.1", "apart.-1.0", "\u0663"])
def test_places_that_are_not_there(place: str) -> None:
    with pytest.raises(ConfigError, match="There is no such place"):
        PoolingState(at=place)


def test_every_shift_comes_along() -> None:
    gray = SAMPLES["shapes"].load(SIDE)[..., 0]
    arrays = pooling_arrays(gray, "average")
    still, moved = SHIFTS.index((0, 0)), SHIFTS.index((3, -2))
    expected = shift(gray[None] / 255, 3, -2)
    assert arrays["image"][moved] == pytest.approx(expected[0])
    for name, kernel in WINDOWS.items():
        assert arrays[name][moved] == pytest.approx(pool(expected, kernel, 2, "average")[0])
        assert arrays[f"winners_{name}"].shape == arrays[name].shape
        assert arrays[f"winners_{name}"].max() < kernel**2
    assert arrays["changes"][still][:, :2] == pytest.approx(0)
    assert arrays["changes"][moved][:, 0].min() > 0
    assert arrays["changes"][moved][0, 1] == 0
    assert arrays["moves"][moved].tolist() == [1, -1]
    assert sum(array.nbytes for array in arrays.values()) < 500_000


def test_a_plain_picture_is_no_error() -> None:
    for level in (0, 255):
        arrays = pooling_arrays(np.full((SIDE, SIDE), level, np.uint8), "max")
        assert not np.isnan(arrays["changes"][..., 0]).any()


def test_places_are_those_of_the_maps() -> None:
    assert PoolingState(at="apart.7.7").at == "apart.7.7"

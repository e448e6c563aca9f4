"""Kernels as links write them, and at other sizes."""

from __future__ import annotations

import numpy as np
import pytest

from cnncore.errors import ConfigError
from cnncore.lessons.kernels import COLOR_FILTERS, KERNELS, binomial, box, kernel_text, read_kernel, resized
from cnncore.lessons.sliding import Sliding, convolve


@pytest.mark.parametrize("key", KERNELS)
def test_a_link_keeps_a_kernel(key: str) -> None:
    text = kernel_text(KERNELS[key].values)
    np.testing.assert_allclose(read_kernel(text)[0], KERNELS[key].values, rtol=1e-3)
    assert kernel_text(read_kernel(text)) == text


def test_a_filter_keeps_its_channels_in_order() -> None:
    values = np.arange(12.0).reshape(3, 2, 2)
    np.testing.assert_array_equal(read_kernel(kernel_text(values), channels=3), values)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "an empty place"),
        ("1,2", "square"),
        (",".join(["1"] * 64), "square"),
        ("1,2,3,x", "has x in it"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("99.5", "-99 to 99"),
        ("1" * 400, "-99 to 99"),
    ],
)
def test_what_is_no_kernel_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        read_kernel(text)
    assert says in str(told.value)
    assert len(str(told.value)) < 200


def test_a_blur_stays_a_blur_at_another_size() -> None:
    for side in range(1, 8):
        np.testing.assert_array_equal(resized(read_kernel(kernel_text(box(3)))[0], side), box(side))
        np.testing.assert_array_equal(resized(read_kernel(kernel_text(binomial(5)))[0], side), binomial(side))
    assert binomial(5).sum() == pytest.approx(1)
    np.testing.assert_allclose(binomial(5), KERNELS["gaussian"].values)


def test_other_kernels_get_zeros_around_them_or_lose_their_margin() -> None:
    sobel = KERNELS["sobel_x"].values
    larger = resized(sobel, 5)
    np.testing.assert_array_equal(larger[1:4, 1:4], sobel)
    assert np.abs(larger).sum() == np.abs(sobel).sum()
    np.testing.assert_array_equal(resized(larger, 3), sobel)


def test_color_filters_answer_to_their_color() -> None:
    def answer(key: str, color: tuple[float, float, float]) -> float:
        image = np.ones((3, 3, 3)) * np.array(color)[:, None, None]
        return float(convolve(image, COLOR_FILTERS[key].values[None], Sliding(kernel=(3, 3)))[0, 0, 0])

    assert answer("red_green", (1, 0, 0)) == pytest.approx(1)
    assert answer("red_green", (0, 1, 0)) == pytest.approx(-1)
    assert answer("blue_yellow", (1, 1, 0)) == pytest.approx(-1)
    assert answer("blue_yellow", (0, 0, 1)) == pytest.approx(1)
    for key in COLOR_FILTERS:
        assert answer(key, (0.5, 0.5, 0.5)) == pytest.approx(0, abs=1e-12)

"""Kernels as links write them, and at other sizes."""

from __future__ import annotations

import numpy as np
import pytest

from cnncore.errors import ConfigError
from cnncore.lessons.kernels import (
    COLOR_FILTERS,
    KERNELS,
    binomial,
    box,
    kernel_text,
    learned_kernel,
    read_kernel,
    resized,
)
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


def test_a_learned_filter_keeps_its_signs_and_its_proportions() -> None:
    weights = np.random.default_rng(0).normal(0, 0.01, (5, 5, 3)).astype(np.float32)
    colors = learned_kernel(weights, 3)
    np.testing.assert_allclose(colors, weights.transpose(2, 0, 1) / np.abs(weights).max(), atol=0.0051)
    assert np.abs(colors).max() == 1
    gray = learned_kernel(weights, 1)
    image = np.random.default_rng(1).random((1, 9, 9))
    alike = convolve(
        np.repeat(image, 3, axis=0), weights.transpose(2, 0, 1)[None].astype(np.float64), Sliding(kernel=(5, 5))
    )
    found = convolve(image, gray[None], Sliding(kernel=(5, 5))) * np.abs(weights.sum(axis=2)).max()
    np.testing.assert_allclose(found, alike, atol=0.005 * 25 * np.abs(weights.sum(axis=2)).max())
    np.testing.assert_array_equal(read_kernel(kernel_text(colors), channels=3), colors)


@pytest.mark.parametrize(
    ("shape", "channels", "says"),
    [((11, 11, 3), 1, "at most 7 × 7"), ((3, 5, 1), 1, "3 × 5"), ((5, 5, 1), 3, "gray pictures")],
)
def test_what_the_lesson_cannot_take_of_a_network_is_one_sentence(
    shape: tuple[int, int, int], channels: int, says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        learned_kernel(np.ones(shape), channels)


def test_a_filter_of_zeros_is_refused() -> None:
    with pytest.raises(ConfigError, match="all zero"):
        learned_kernel(np.zeros((3, 3, 1)), 1)

"""The heat over a picture: where it is cold the picture stays, and its colors grow lighter evenly.

Colors for and against are as far apart as their values, equally light on both sides, and apart without color vision.
"""

from __future__ import annotations

import numpy as np
import pytest

from cnncore.images.heat_map import (
    heat_colors,
    map_colors,
    map_over,
    overlay,
    reach,
    scaled,
    signed_colors,
    signed_overlay,
)

# Machado et al., A physiologically-based model for simulation of color vision deficiency, 2009, severity 1: linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colors: np.ndarray) -> np.ndarray:
    """Linear RGB of sRGB colors (N, 3) from 0 to 255."""
    shares = colors / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB (N, 3), white of D65."""
    xyz = rgb @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    root = np.where(xyz > 0.008856, np.cbrt(xyz), (903.3 * xyz + 16) / 116)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lightness(colors: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB colors (N, 3) from 0 to 255."""
    return lab(linear(colors))[:, 0]


def test_colors_grow_lighter_evenly() -> None:
    steps = np.diff(lightness(heat_colors(np.linspace(0, 1, 11))))
    assert steps.min() > 6
    assert steps.max() < 14


def test_cold_places_keep_the_picture_and_hot_ones_are_yellow() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    heat = np.zeros((4, 6))
    heat[1, 2] = 1
    found = overlay(picture, heat)
    assert found.dtype == np.uint8
    cold = heat == 0
    assert np.array_equal(found[cold], picture[cold])
    assert np.abs(overlay(picture, heat, opacity=1)[1, 2] - np.array([252, 255, 164])).max() == 0


def test_gray_pictures_become_colored() -> None:
    gray = np.full((2, 3, 3, 1), 100, np.uint8)
    found = overlay(gray, np.full((2, 3, 3), 0.5))
    assert found.shape == (2, 3, 3, 3)
    assert np.ptp(found[0, 0, 0].astype(int)) > 30


def test_colors_for_and_against_are_equally_light_and_darken_with_the_value() -> None:
    light = lightness(signed_colors(np.linspace(-1, 1, 41)))
    assert np.abs(light - light[::-1]).max() < 0.5
    assert (np.diff(light)[:20] > 0).all()
    assert (np.diff(light)[20:] < 0).all()


@pytest.mark.parametrize(("steps", "limit"), [(8, 1.12), (16, 1.12), (32, 1.2)])
def test_equal_steps_of_signed_values_look_equal(steps: int, limit: float) -> None:
    """Of smaller steps rounding to whole numbers takes its share."""
    found = lab(linear(signed_colors(np.linspace(-1, 1, steps + 1))))
    apart = np.linalg.norm(np.diff(found, axis=0), axis=1)
    assert apart.max() / apart.min() < limit


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("value", [0.5, 1.0])
def test_for_and_against_are_told_apart_without_full_color_vision(kind: str, value: float) -> None:
    """A difference of 10 in L*a*b* is seen at a glance."""
    both = linear(signed_colors(np.array([-value, value]))) @ np.array(BLINDNESS[kind]).T
    against, speaks_for = lab(both.clip(0, 1))
    assert np.linalg.norm(speaks_for - against) > 40 * value


def test_what_says_nothing_keeps_the_picture_and_the_ends_are_blue_and_red() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (2, 3, 1), dtype=np.uint8)
    values = np.array([[0.0, -1.0, 1.0], [0.0, 0.0, 0.5]])
    found = signed_overlay(picture, values, opacity=1)
    assert found.dtype == np.uint8
    assert np.array_equal(found[values == 0], np.repeat(picture, 3, axis=2)[values == 0])
    assert found[0, 1].tolist() == [59, 76, 192]
    assert found[0, 2].tolist() == [180, 4, 38]
    half = signed_overlay(picture, values, opacity=0.5)
    assert np.abs(half[0, 2] - (picture[0, 2] / 2 + np.array([180, 4, 38]) / 2)).max() <= 0.5


def test_a_few_outliers_do_not_leave_a_map_pale() -> None:
    values = np.linspace(-1, 1, 10_001).reshape(73, 137)
    values[0, 0] = 1_000
    assert reach(values) == pytest.approx(0.99, abs=0.001)
    found = scaled(values, signed=True)
    assert found[0, 0] == 1
    assert found.min() == -1
    assert scaled(values, signed=False).min() == 0


def test_a_single_place_that_matters_is_seen_and_a_map_of_nothing_stays_empty() -> None:
    values = np.zeros((30, 30))
    assert reach(values) == 0
    picture = np.full((30, 30, 3), 90, np.uint8)
    assert np.array_equal(map_over(picture, values, signed=True), picture)
    values[3, 4] = -1e-20
    assert scaled(values, signed=True)[3, 4] == -1
    assert map_colors(values, signed=True)[3, 4].tolist() == [59, 76, 192]
    assert map_colors(values, signed=True)[0, 0].tolist() == [221, 221, 221]


def test_maps_without_a_sign_are_drawn_as_heat() -> None:
    values = np.arange(-2.0, 10.0).reshape(3, 4)
    values[2] = 9
    shares = values.clip(0, 9) / 9
    assert np.array_equal(map_colors(values, signed=False), np.rint(heat_colors(shares)))
    picture = np.full((3, 4, 1), 90, np.uint8)
    assert np.array_equal(map_over(picture, values, signed=False), overlay(picture, shares))

"""The heat over a picture: where it is cold the picture stays, and its colors grow lighter evenly."""

from __future__ import annotations

import numpy as np

from cnncore.images.heat_map import heat_colors, overlay


def lightness(colors: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB colors (N, 3) from 0 to 255."""
    shares = colors / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


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

"""Feature maps and filters as pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cnncore.figures.feature_maps import (
    coarser,
    color_bar,
    enlarged,
    filter_pictures,
    levels,
    palette,
    png,
    sheet,
)


def test_the_palette_gets_lighter_step_by_step() -> None:
    brightness = palette() @ np.array([0.299, 0.587, 0.114])
    assert palette().shape == (256, 3)
    assert (np.diff(brightness) >= -0.6).all(), "evenly, but for rounding"
    assert brightness[-1] - brightness[0] > 200
    assert color_bar().startswith("linear-gradient(90deg,rgb(0,0,3),")


def test_levels_go_from_one_end_to_the_other() -> None:
    maps = np.array([[[0.0, 1.0, 2.0]], [[0.0, 10.0, 20.0]]], np.float16)
    assert levels(maps, 0.0, 20.0).tolist() == [[[0, 13, 26]], [[0, 128, 255]]]
    assert levels(maps, [0, 0], [2, 20]).tolist() == [[[0, 128, 255]], [[0, 128, 255]]]


def test_equal_numbers_and_none_at_all_have_the_lowest_level() -> None:
    maps = np.array([[[3.0, 3.0]], [[np.nan, 1.0]]], np.float32)
    assert levels(maps, [3.0, 0.0], [3.0, 1.0]).tolist() == [[[0, 0]], [[0, 255]]]


def test_what_is_beyond_the_ends_has_their_level() -> None:
    assert levels(np.array([[[-5.0, 5.0]]]), -1.0, 1.0).tolist() == [[[0, 255]]]


def test_large_maps_are_shown_in_blocks() -> None:
    maps = np.arange(32.0).reshape(1, 4, 8)
    assert coarser(maps, 4).tolist() == [[[4.5, 6.5, 8.5, 10.5], [20.5, 22.5, 24.5, 26.5]]]
    assert coarser(maps, 8) is maps
    assert coarser(np.zeros((1, 225, 225)), 112).shape == (1, 75, 75)


def test_enlarged_pixels_stay_squares_of_one_color() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    large = enlarged(picture, 5)
    assert large.shape == (6, 6, 3)
    assert (large[:3, 3:] == picture[0, 1]).all()


@pytest.mark.parametrize(("shape", "mode"), [((4, 6), "L"), ((4, 6, 1), "L"), ((4, 6, 3), "RGB")])
def test_a_picture_becomes_a_file(shape: tuple[int, ...], mode: str) -> None:
    picture = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    read = Image.open(io.BytesIO(png(picture)))
    assert (read.mode, read.size) == (mode, (6, 4))
    assert (np.asarray(read) == picture.reshape(np.asarray(read).shape)).all()


def test_a_sheet_holds_every_picture() -> None:
    pictures = np.zeros((10, 4, 4, 3), np.uint8)
    pictures[:, :, :, 0] = np.arange(100, 110)[:, None, None]
    read = Image.open(io.BytesIO(sheet(pictures, [str(n) for n in range(10)], title="Maps", ends=("0", "1"))))
    colors = {tuple(pixel) for pixel in np.asarray(read).reshape(-1, 3).tolist()}
    assert {(red, 0, 0) for red in range(100, 110)} <= colors
    without = Image.open(io.BytesIO(sheet(pictures, ["x"] * 10, title="Maps", ends=None)))
    assert without.height < read.height


def test_filters_that_see_colors_are_colors_around_gray() -> None:
    filters = np.zeros((2, 1, 2, 3), np.float32)
    filters[0, 0, 0] = (1.0, -1.0, 0.0)
    filters[1, 0, 0] = (0.5, 0.0, 0.0)
    own = filter_pictures(filters, one_scale=False)
    assert own[0, 0].tolist() == [[255, 0, 128], [128, 128, 128]]
    assert own[1, 0, 0].tolist() == [255, 128, 128]
    assert filter_pictures(filters, one_scale=True)[1, 0, 0].tolist() == [191, 128, 128]


def test_filters_that_see_gray_have_the_colors_of_signs() -> None:
    picture = filter_pictures(np.array([[[[1.0], [0.0], [-1.0]]]], np.float32), one_scale=True)
    red, gray, blue = picture[0, 0].astype(int)
    assert red[0] > 150 > red[2]
    assert gray.tolist() == [221, 221, 221]
    assert blue[2] > 150 > blue[0]


def test_filters_of_zeros_are_gray() -> None:
    assert (filter_pictures(np.zeros((1, 3, 3, 3), np.float32), one_scale=False) == 128).all()

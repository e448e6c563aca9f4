"""Many pictures in one file, each where it is said to be."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from cnncore.images.picture_sheet import PictureSheet, sheet_of


def cut(sheet: PictureSheet, index: int) -> npt.NDArray[np.uint8]:
    pixels = np.asarray(Image.open(io.BytesIO(sheet.content)))
    top, left = (place * sheet.cell for place in divmod(index, sheet.columns))
    assert pixels.shape[:2] == (sheet.rows * sheet.cell, sheet.columns * sheet.cell)
    return pixels[top : top + sheet.side, left : left + sheet.side]


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_gray_pictures_are_exact(count: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (count, 6, 6, 1)).astype(np.uint8)
    sheet = sheet_of(pictures)
    for index, picture in enumerate(pictures):
        assert np.array_equal(cut(sheet, index), picture[..., 0])


def test_neighbors_do_not_bleed_into_each_other() -> None:
    pictures = np.zeros((4, 13, 13, 3), np.uint8)
    pictures[[0, 3]] = 255
    sheet = sheet_of(pictures)
    for index, picture in enumerate(pictures):
        assert np.abs(cut(sheet, index).astype(int) - picture).max() <= 2


def test_a_large_sheet_gets_a_lower_quality() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (100, 24, 24, 3)).astype(np.uint8)
    fine, coarse = sheet_of(pictures), sheet_of(pictures, max_bytes=60_000)
    assert len(coarse.content) < min(60_000, len(fine.content))

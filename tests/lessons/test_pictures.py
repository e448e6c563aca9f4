"""The pictures that lessons begin with, at every size they are asked for."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cnncore.lessons.pictures import SAMPLES, fitted


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("side", [8, 16, 28, 64])
def test_a_sample_fills_its_range_at_every_size(name: str, side: int) -> None:
    pixels = SAMPLES[name].load(side)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (side, side, 3 if name in ("palace", "flower") else 1)
    assert int(pixels.max()) - int(pixels.min()) > 100, "nothing to see"


@pytest.mark.parametrize("side", [16, 32, 64])
def test_the_disk_is_round_and_the_stripes_begin_whole(side: int) -> None:
    gray = SAMPLES["shapes"].load(side)[..., 0].astype(int)
    quarter = gray[: side // 2, : side // 2]
    np.testing.assert_array_equal(quarter, quarter.T)
    row = gray[round(0.75 * side), : side // 2]
    first = int(np.flatnonzero(row == 230)[0])
    assert [*row[first : first + 3]] == [230, 230, 40]


@pytest.mark.parametrize(("width", "height", "left", "top"), [(40, 20, 10, 0), (20, 50, 0, 15), (20, 20, 0, 0)])
def test_the_middle_square_is_kept_exactly(width: int, height: int, left: int, top: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fitted(Image.fromarray(pixels), 20), pixels[top : top + 20, left : left + 20])


def test_larger_pictures_are_averaged_and_smaller_ones_repeated() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (8, 8), dtype=np.uint8)
    found = fitted(Image.fromarray(pixels), 4)[..., 0]
    means = pixels.reshape(4, 2, 4, 2).mean(axis=(1, 3))
    assert np.abs(found - means).max() <= 1
    np.testing.assert_array_equal(fitted(Image.fromarray(pixels), 16)[..., 0], pixels.repeat(2, 0).repeat(2, 1))

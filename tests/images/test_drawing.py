"""Drawn digits: made as MNIST's were, which is checked on MNIST's own, and as text that cannot do harm."""

from __future__ import annotations

import base64
import csv
import gzip
import zlib
from itertools import islice

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnncore.catalog.presence import mnist5k_file
from cnncore.errors import DataError
from cnncore.images.drawing import BOX, SIDE, drawing_text, example_digit, like_mnist, read_drawing
from cnncore.images.picture_reference import parse_picture


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """Of each class three digits of MNIST, uint8 (30, 28, 28)."""
    path = mnist5k_file()
    assert path is not None
    with gzip.open(path, "rt", encoding="ascii") as file:
        rows = [next(islice(csv.reader(file), 0 if row == 0 else 165, None)) for row in range(30)]
    return np.array(rows, float).astype(np.uint8)[:, :784].reshape(-1, 28, 28)


def center_of_mass(digit: np.ndarray) -> np.ndarray:
    places = np.indices(digit.shape).reshape(2, -1)
    return (places * digit.ravel()).sum(axis=1) / digit.sum()


@pytest.mark.parametrize("factor", [4, 10])
def test_a_digit_of_mnist_that_was_enlarged_and_moved_comes_back(digits: np.ndarray, factor: int) -> None:
    for digit in digits:
        size = SIDE * factor
        large = np.asarray(Image.fromarray(digit).resize((size, size), Image.Resampling.NEAREST))
        found = like_mnist(np.pad(large, ((0, 60), (90, 10))))
        assert found is not None
        np.testing.assert_array_equal(found, digit)


def test_blurred_ones_come_back_nearly(digits: np.ndarray) -> None:
    differences: list[float] = []
    for digit in digits:
        found = like_mnist(np.asarray(Image.fromarray(digit).resize((280, 280), Image.Resampling.BICUBIC)))
        assert found is not None
        differences.append(float(np.abs(found.astype(float) - digit).mean()))
    assert np.mean(differences) < 10, "of 255 gray levels, in the mean over all pixels"


def stroke(*points: tuple[float, float], width: int = 18) -> np.ndarray:
    """A line on a field of 280 × 280."""
    image = Image.new("L", (280, 280))
    ImageDraw.Draw(image).line(points, fill=255, width=width, joint="curve")
    return np.asarray(image)


@pytest.mark.parametrize(
    "drawing",
    [
        stroke((20, 20), (60, 90)),
        stroke((250, 10), (250, 270)),
        stroke((0, 140), (279, 140), width=6),
        stroke((40, 40), (200, 40), (60, 240), width=24),
        stroke((5, 5), (8, 8), width=4),
    ],
)
def test_wherever_and_however_large_it_is_drawn_it_is_centered_and_fits_the_box(drawing: np.ndarray) -> None:
    found = like_mnist(drawing)
    assert found is not None
    assert (found.shape, found.dtype) == ((SIDE, SIDE), np.uint8)
    rows, columns = np.nonzero(found)
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    assert extent in (BOX - 1, BOX)
    np.testing.assert_allclose(center_of_mass(found), SIDE / 2, atol=0.51)


def test_proportions_are_kept() -> None:
    found = like_mnist(stroke((100, 20), (100, 260), width=20))
    assert found is not None
    rows, columns = np.nonzero(found)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 2)


def test_a_lopsided_drawing_stays_whole() -> None:
    drawing = np.maximum(stroke((10, 140), (270, 140), width=2), stroke((262, 20), (262, 260), width=30))
    found = like_mnist(drawing)
    assert found is not None
    assert np.nonzero(found)[1].min() == 0, "its center of mass would need a column before the first one"
    assert np.ptp(np.nonzero(found)[1]) + 1 == BOX


def test_nothing_drawn_is_nothing() -> None:
    assert like_mnist(np.zeros((280, 280), np.uint8)) is None


def test_a_single_point_is_a_drawing() -> None:
    drawing = np.zeros((280, 280), np.uint8)
    drawing[3, 277] = 255
    found = like_mnist(drawing)
    assert found is not None
    assert found.max() == 255


def test_as_text_it_comes_back_and_fits_into_a_link(digits: np.ndarray) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
    for digit in (*digits, example_digit(), noise):
        text = drawing_text(digit)
        assert len(text) < 1_200
        np.testing.assert_array_equal(read_drawing(text), digit)
        assert parse_picture(f"drawn:{text}").source == text


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(content, 9)).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "AAAA",
        "é",
        "....",
        packed(b""),
        packed(bytes(783)),
        packed(bytes(785)),
        packed(bytes(2_000_000)),
        packed(bytes(784))[:-8],
    ],
)
def test_a_text_that_holds_no_digit_is_one_sentence(text: str) -> None:
    with pytest.raises(DataError, match="no whole drawing"):
        read_drawing(text)

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore.lessons.contents import LESSONS
from cnncore.lessons.pictures import SAMPLES
from cnncore.lessons.shifting import change, moved_back, under_shifts, whole_places
from cnncore.lessons.sliding import pool, winners
from cnncore.lessons.transforms import shift

SIDE = 16
STEPS = ((1, 0), (-1, 0), (0, 1), (0, -1))


def gray(name: str) -> np.ndarray:
    pixels = SAMPLES[name].load(SIDE)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("L")
    return np.asarray(image).astype(np.float64) / 255


def test_the_winners_are_torchs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        kernel, stride = (int(value) for value in rng.integers(1, 4, 2))
        height, width = (int(value) for value in rng.integers(kernel, 12, 2))
        # Few different values, so that several of a window are the largest.
        image = rng.integers(0, 4, (2, height, width)).astype(np.float64)
        found = winners(image, kernel, stride)
        _, indices = torch.nn.functional.max_pool2d(torch.from_numpy(image), kernel, stride, return_indices=True)
        rows, columns = (np.arange(size)[:, None] for size in found.shape[1:])
        flat = (rows * stride + found // kernel) * width + columns.T * stride + found % kernel
        assert np.array_equal(flat, indices.numpy())


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("kernel", [2, 3])
def test_a_shift_by_whole_strides_only_moves_the_map(kind: Literal["max", "average"], kernel: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        stride = int(rng.integers(1, 4))
        size = int(rng.integers(10, 20))
        image = rng.random((size, size))
        by = (int(rng.integers(-2, 3)) * stride, int(rng.integers(-2, 3)) * stride)
        maps = [pool(each, kernel, stride, kind)[0] for each in (image[None], shift(image[None], *by))]
        before, after = moved_back(maps[0], maps[1], by, size, kernel, stride)
        assert before.size > 0
        assert before == pytest.approx(after)


def test_only_places_that_see_the_image_are_compared() -> None:
    image = np.arange(36.0).reshape(6, 6) + 1
    before, after = (pool(each, 2, 2, "max")[0] for each in (image[None], shift(image[None], 3, 0)))
    # Columns 3 to 5 hold the image; the windows begin at 0, 2 and 4, so only the last lies inside, one place moved.
    left, right = moved_back(before, after, (3, 0), 6, 2, 2)
    assert left.shape == right.shape == (3, 1)
    assert np.array_equal(left[:, 0], before[:, 1])
    assert np.array_equal(right[:, 0], after[:, 2])
    assert moved_back(before, after, (6, 0), 6, 2, 2)[0].size == 0
    assert [whole_places(by, 2) for by in (-3, -2, -1, 0, 1, 2, 3)] == [-1, -1, 0, 0, 0, 1, 1]


def test_change_is_measured_in_contrast() -> None:
    before = np.array([[0.0, 2.0]])
    assert change(before, before) == 0
    assert change(before, before[:, ::-1]) == 2
    assert change(10 * before + 3, 10 * before[:, ::-1] + 3) == 2
    assert change(np.ones((1, 2)), np.zeros((1, 2))) == np.inf
    assert change(np.ones((1, 2)), np.ones((1, 2))) == 0


def test_the_answer_says_what_is_measured() -> None:
    answer = LESSONS["pooling"].answer
    shifts = [(0, 0), *STEPS]
    windows = ((1, 1), (2, 2), (3, 2))
    digit = [under_shifts(gray("digit"), shifts, kernel, stride, "max").changes[1] for kernel, stride in windows]
    image, apart, overlapping = (round(100 * value) for value in digit)
    assert f"changes by {image}% of its contrast" in answer
    assert f"by {apart}% (2 × 2) and {overlapping}% (overlapping)" in answer
    assert "try Shapes" in answer
    _, apart, overlapping = (
        under_shifts(gray("shapes"), shifts, kernel, stride, "max").changes[1] for kernel, stride in windows
    )
    assert overlapping > apart
    means = [
        np.mean([under_shifts(gray(name), shifts, kernel, stride, "max").changes[1:] for name in SAMPLES])
        for kernel, stride in windows
    ]
    image, apart, overlapping = (round(100 * value) for value in means)
    assert f"it is {image}% for the image, {apart}% for 2 × 2 and {overlapping}% for overlapping windows" in answer


@pytest.mark.parametrize("kind", ["max", "average"])
def test_global_pooling_does_not_see_where_the_digit_is(kind: Literal["max", "average"]) -> None:
    found = under_shifts(gray("digit"), [(0, 0), (2, 0), (-4, 1), (1, -2)], 1, 1, kind)
    assert found.pooled_globally == pytest.approx(found.pooled_globally[0])
    assert found.changes[1:].min() > 0.3
    assert found.rests == pytest.approx(0)

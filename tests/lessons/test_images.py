"""Colors are those of `colorsys`, places in memory those of torch and numpy."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch

from cnncore.lessons.contents import LESSONS
from cnncore.lessons.images import LAYOUTS, hue_wheel, strides, to_hsv
from cnncore.lessons.pictures import SAMPLES

SETTINGS = 300


def test_hsv_is_that_of_colorsys() -> None:
    rng = np.random.default_rng(0)
    # Few levels, so that channels are often equal, black or white.
    pixels = np.concatenate((rng.integers(0, 256, (1_500, 3)), rng.integers(0, 3, (500, 3)) * 127)).astype(np.uint8)
    expected = np.array([colorsys.rgb_to_hsv(*(pixel / 255)) for pixel in pixels])
    found = to_hsv(pixels.reshape(40, 50, 3)).reshape(-1, 3)
    np.testing.assert_allclose(found, expected * (360, 1, 1), atol=1e-9)
    assert found[:, 0].max() < 360


def test_the_wheel_has_the_pure_color_of_every_degree() -> None:
    expected = [colorsys.hsv_to_rgb(degree / 360, 1, 1) for degree in range(360)]
    # Halves are rounded up or down.
    np.testing.assert_allclose(hue_wheel(), 255 * np.array(expected), atol=0.5 + 1e-9)


@pytest.mark.parametrize("start", range(0, SETTINGS, 100))
def test_positions_and_strides_are_torchs(start: int) -> None:
    for seed in range(start, start + 100):
        rng = np.random.default_rng(seed)
        # Sizes of 1 have no say in the order of the memory, so torch may give them any stride.
        sizes = {axis: int(rng.integers(2, 7)) for axis in "nchw"}
        index = {axis: int(rng.integers(size)) for axis, size in sizes.items()}
        formats = {"chw": torch.contiguous_format, "hwc": torch.channels_last}
        for layout, order in LAYOUTS.items():
            tensor = torch.empty(tuple(sizes.values())).contiguous(memory_format=formats[layout])
            steps = strides(sizes, order)
            assert tuple(steps[axis] for axis in "nchw") == tensor.stride()
            position = sum(index[axis] * steps[axis] for axis in order)
            memory = torch.arange(tensor.numel())
            assert memory.as_strided(tensor.shape, tensor.stride())[tuple(index.values())] == position
            array = np.arange(tensor.numel()).reshape([sizes[axis] for axis in order])
            assert array[tuple(index[axis] for axis in order)] == position


def test_the_lessons_answer_says_what_the_flower_shows() -> None:
    answer, pixels = LESSONS["images"].answer, SAMPLES["flower"].load(24)
    rows, columns = np.mgrid[:24, :24]
    away = np.hypot(rows - 11.5, columns - 11)
    hue = to_hsv(pixels)[..., 0]
    rim, middle = (away >= 5) & (away <= 6.5), away <= 2
    (red, green, blue), (red_inside, green_inside, blue_inside) = (pixels[part].mean(axis=0) for part in (rim, middle))
    assert green - green_inside > max(red - red_inside, blue - blue_inside)
    assert f"about {green:.0f} at the rim and {round(green_inside, -1):.0f} in the middle" in answer
    assert f"from {red:.0f} to {red_inside:.0f}" in answer
    assert f"from about {np.median(hue[rim]):.0f}° to {np.median(hue[middle]):.0f}°" in answer
    assert f"3 · 8 · 8 = {SAMPLES['flower'].load(8).size} numbers" in answer

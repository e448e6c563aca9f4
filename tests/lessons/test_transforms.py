"""The transforms of the lesson against those that training uses, with the strengths that it drew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from cnncore.data import augment
from cnncore.lessons import transforms


class Drawn:
    """What `augment` drew between two limits, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.values: list[float] = []
        original = augment._uniform

        def noting(num: int, low: float, high: float, generator: Generator) -> Tensor:
            values = original(num, low, high, generator)
            self.values.append(float(values[0]))
            return values

        monkeypatch.setattr(augment, "_uniform", noting)


def image_of(seed: int, channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random((channels, int(rng.integers(5, 20)), int(rng.integers(5, 20))))


def changed(function: Any, image: np.ndarray, seed: int, **strengths: float) -> np.ndarray:
    return function(torch.from_numpy(image)[None], Generator().manual_seed(seed), **strengths)[0].numpy()


@pytest.mark.parametrize("seed", range(60))
def test_turning_shifting_and_zooming_are_those_of_training(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, image = Drawn(monkeypatch), image_of(seed)
    found = changed(augment.random_affine, image, seed, rotation=180, translation=0.4, zoom=0.5)
    degrees, zoom, right, down = drawn.values
    ours = transforms.affine(image, degrees=degrees, right=right, down=down, zoom=zoom)
    # Training draws and computes places in single precision.
    np.testing.assert_allclose(ours, found, atol=2e-5)


@pytest.mark.parametrize("seed", range(60))
def test_colors_are_those_of_training(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, image = Drawn(monkeypatch), image_of(seed, channels=(3, 1)[seed % 2])
    found = changed(augment.color_jitter, image, seed, brightness=0.5, contrast=0.8, saturation=0.9, hue=0.5)
    brightness, contrast, saturation, hue = drawn.values
    ours = transforms.colors(image, brightness=brightness, contrast=contrast, saturation=saturation, hue=hue)
    np.testing.assert_allclose(ours, found, atol=2e-5)


@pytest.mark.parametrize("seed", range(20))
def test_mirrors_and_whole_shifts_are_those_of_training(seed: int) -> None:
    image = image_of(seed)
    for options, strengths in (({"across": True}, {"flip_horizontal": 1.0}), ({"over": True}, {"flip_vertical": 1.0})):
        np.testing.assert_array_equal(
            transforms.mirror(image, **options), changed(augment.crop_and_flip, image, seed, **strengths)
        )
    down, left = torch.randint(0, 7, (2, 1), generator=Generator().manual_seed(seed)).flatten().tolist()
    np.testing.assert_array_equal(
        transforms.shift(image, 3 - left, 3 - down), changed(augment.crop_and_flip, image, seed, crop_padding=3)
    )


def test_a_quarter_turn_is_exact() -> None:
    image = np.random.default_rng(0).random((3, 8, 8))
    np.testing.assert_allclose(transforms.affine(image, degrees=90), np.rot90(image, -1, axes=(1, 2)), atol=1e-12)


def test_far_shifts_leave_nothing() -> None:
    image = np.ones((1, 4, 4))
    assert transforms.shift(image, 4, 0).sum() == transforms.shift(image, 0, -9).sum() == 0


def test_rectangles_erase_and_paste() -> None:
    image, other = np.zeros((3, 6, 6)), np.ones((3, 6, 6))
    pasted, stays = transforms.paste(image, other, 4, 4, 5, 5)
    assert stays == pytest.approx(32 / 36)
    assert pasted.sum() == 3 * 4
    erased = transforms.erase(image, -1, 0, 3, 2)
    assert (erased[:, :2, :2] > 0).all()
    assert erased[:, 2:].sum() == 0
    np.testing.assert_allclose(transforms.blend(image, other, 0.3), 0.7)

"""1 × 1 convolutions against dense layers at every pixel, ours and torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnncore.errors import ConfigError
from cnncore.lessons.mixing import MIXES, NUM_NUMBERS, Mix, mixed, pixel_by_pixel, read_numbers, write_numbers


def torch_dense(image: np.ndarray, mix: Mix) -> np.ndarray:
    """The same network as torch's dense layers, over the channels of every pixel: (1, H, W)."""
    first, last = nn.Linear(3, 4, dtype=torch.float64), nn.Linear(4, 1, dtype=torch.float64)
    with torch.no_grad():
        for layer, (weights, biases) in ((first, mix.hidden), (last, mix.output)):
            layer.weight.copy_(torch.from_numpy(weights))
            layer.bias.copy_(torch.from_numpy(biases))
        pixels = torch.from_numpy(image).permute(1, 2, 0)
        return last(first(pixels).relu()).relu().permute(2, 0, 1).numpy()


@pytest.mark.parametrize("seed", range(100))
def test_two_convolutions_are_dense_layers_at_every_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.random((3, int(rng.integers(1, 8)), int(rng.integers(1, 8))))
    mix = Mix(title="", words="", numbers=tuple(rng.normal(size=NUM_NUMBERS).tolist()))
    found = mixed(image, mix)
    np.testing.assert_allclose(found.output, torch_dense(image, mix), atol=1e-12)
    np.testing.assert_allclose(found.output, pixel_by_pixel(image, mix), atol=1e-12)
    assert (found.hidden == np.maximum(found.sums, 0)).all()


def test_presets_tell_what_they_say() -> None:
    image = np.random.default_rng(0).random((3, 9, 9))
    red, green, blue = image
    expected = {
        "yellow": 2 * np.maximum(np.minimum(red, green) - blue, 0),
        "colorful": (np.abs(red - green) + np.abs(green - blue)) / 2,
        "bright": 2.5 * np.maximum(0.299 * red + 0.587 * green + 0.114 * blue - 0.6, 0),
    }
    assert expected.keys() == MIXES.keys()
    for name, mix in MIXES.items():
        np.testing.assert_allclose(mixed(image, mix).output[0], expected[name], atol=1e-12)


def test_numbers_go_through_links() -> None:
    for mix in MIXES.values():
        assert read_numbers(write_numbers(mix.numbers)) == mix.numbers


@pytest.mark.parametrize(
    "text", ["", "1,2", ",".join(["x"] * NUM_NUMBERS), ",".join(["nan"] * NUM_NUMBERS), "11" + ",1" * 20]
)
def test_numbers_that_cannot_be_taken_are_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="numbers"):
        read_numbers(text)

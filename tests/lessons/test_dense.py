"""The lesson on dense layers: both layers are torch's, a convolution is a dense layer, and the counts are torch's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnncore.errors import ConfigError
from cnncore.lessons.dense import (
    applied,
    convolved,
    count,
    off_after_shift,
    pixel_order,
    random_dense,
    random_kernel,
)
from cnncore.lessons.transforms import shift

SETTINGS = 100


def as_dense(kernel: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.float64]:
    """A filter written as a dense layer: (outputs, side²), a row an output, 0 where it is not connected."""
    size = len(kernel)
    out = side - size + 1
    found = np.zeros((out, out, side, side))
    for row in range(out):
        for column in range(out):
            found[row, column, row : row + size, column : column + size] = kernel
    return found.reshape(out * out, side * side)


@pytest.mark.parametrize("seed", range(SETTINGS))
def test_both_layers_are_torchs_and_a_convolution_is_a_dense_layer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    side, size = int(rng.integers(5, 16)), int(rng.integers(1, 6))
    image, kernel = rng.random((side, side)), random_kernel(size, seed)
    found = convolved(image, kernel)
    expected = functional.conv2d(torch.from_numpy(image)[None, None], torch.from_numpy(kernel)[None, None])
    np.testing.assert_allclose(found, expected[0, 0], atol=1e-12)
    np.testing.assert_allclose(applied(as_dense(kernel, side), image), found.ravel(), atol=1e-12)
    assert (as_dense(np.ones((size, size)), side).sum(axis=1) == size * size).all()
    weights = random_dense(side, 7, seed)
    dense = functional.linear(torch.from_numpy(image).flatten(), torch.from_numpy(weights))
    np.testing.assert_allclose(applied(weights, image), dense, atol=1e-12)


@pytest.mark.parametrize("seed", range(SETTINGS))
def test_parameters_are_torchs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    side, channels, filters, kernel = (int(rng.integers(*ends)) for ends in ((5, 20), (1, 5), (1, 5), (1, 6)))
    found = count(side, channels, filters, kernel)
    with torch.device("meta"):
        convolution, dense = nn.Conv2d(channels, filters, kernel), nn.Linear(channels * side**2, filters)
        maps = convolution(torch.empty(1, channels, side, side))
        dense_maps = nn.Linear(channels * side**2, maps.numel())
    sizes = [sum(each.numel() for each in layer.parameters()) for layer in (convolution, dense, dense_maps)]
    assert [found.convolution, found.dense, found.dense_maps] == sizes
    assert found.map_side == maps.shape[-1]


def test_a_kernel_that_does_not_fit_is_told() -> None:
    with pytest.raises(ConfigError, match="does not fit"):
        count(8, 1, 1, 11)


@pytest.mark.parametrize("right", range(5))
def test_a_convolution_moves_along_and_a_dense_layer_does_not(right: int) -> None:
    image = np.random.default_rng(0).random((14, 14))
    moved = shift(image[None], right, 0)[0]
    kernel, weights = random_kernel(3, 0), random_dense(14, 144, 0)
    assert off_after_shift(convolved(image, kernel), convolved(moved, kernel), right) < 1e-12
    before, after = (applied(weights, each).reshape(12, 12) for each in (image, moved))
    off = off_after_shift(before, after, right)
    assert off > 0.5 if right else off == 0


def test_an_order_holds_every_pixel_once_and_is_the_seeds() -> None:
    order = pixel_order(784, 3)
    assert sorted(order) == list(range(784))
    assert (order == pixel_order(784, 3)).all()
    assert (order != pixel_order(784, 4)).any()

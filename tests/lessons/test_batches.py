from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnncore.lessons.batches import CHANNELS, Batches, activations
from cnncore.lessons.kernels import KERNELS
from cnncore.lessons.normalizing import batch_statistics


@pytest.mark.parametrize("seed", range(10))
def test_activations_are_torchs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pictures = rng.random((2, int(rng.integers(5, 12)), int(rng.integers(5, 12))))
    found = activations(pictures)
    for channel, (name, sign) in enumerate(CHANNELS.values()):
        kernel = torch.from_numpy(sign * KERNELS[name].values)[None, None]
        around = kernel.shape[-1] // 2
        padded = functional.pad(torch.from_numpy(pictures)[:, None], (around,) * 4, mode="reflect")
        expected = functional.relu(functional.conv2d(padded, kernel))[:, 0]
        np.testing.assert_allclose(found[:, channel], expected.numpy(), atol=1e-12)


def test_the_first_picture_is_in_every_batch_and_the_others_change() -> None:
    batches = Batches(maps=np.random.default_rng(0).random((4, 2, 12, 12)), side=6)
    one, two = batches.batch(1), batches.batch(2)
    assert one.shape == (4, 2, 6, 6)
    np.testing.assert_array_equal(one[0], batches.maps[0, :, 3:9, 3:9])
    np.testing.assert_array_equal(one[0], two[0])
    assert all((first != second).any() for first, second in zip(one[1:], two[1:], strict=True))
    np.testing.assert_array_equal(two, batches.batch(2))


def test_every_square_comes_from_a_picture() -> None:
    batches = Batches(maps=np.random.default_rng(0).random((3, 1, 8, 8)), side=5)
    squares = np.lib.stride_tricks.sliding_window_view(batches.maps[1:, 0], (5, 5), axis=(1, 2)).reshape(-1, 5, 5)
    for number in range(20):
        for square in batches.batch(number)[1:, 0]:
            assert (squares == square).all(axis=(1, 2)).any()


def test_statistics_of_batches() -> None:
    batches = Batches(maps=np.random.default_rng(0).random((3, 2, 8, 8)), side=4)
    seen = batches.statistics(3)
    assert len(seen) == 3
    np.testing.assert_array_equal(seen[1].mean, batch_statistics(batches.batch(2)).mean)

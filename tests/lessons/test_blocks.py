from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnncore.lessons.blocks import MAPS, block_weights, changed, maps_of, pass_block
from cnncore.lessons.pictures import SAMPLES


@pytest.mark.parametrize("seed", range(100))
def test_blocks_are_torchs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    channels, rows, columns = (int(each) for each in rng.integers(1, 9, size=3))
    maps = rng.normal(size=(channels, rows, columns))
    first, second = (float(rng.uniform(0, 2)) * each for each in block_weights(channels, seed))
    found = pass_block(maps, first, second)
    x = torch.from_numpy(maps)[None]
    inner = torch.relu(functional.conv2d(x, torch.from_numpy(first), padding=1))
    added = functional.conv2d(inner, torch.from_numpy(second), padding=1)
    for ours, theirs in (
        (found.added, added),
        (found.total, added + x),
        (found.residual, torch.relu(added + x)),
        (found.plain, torch.relu(added)),
    ):
        np.testing.assert_allclose(ours, theirs[0].numpy(), atol=1e-10)


def test_without_weights_only_the_shortcut_hands_anything_on() -> None:
    maps = maps_of(SAMPLES["shapes"].load(24)[..., 0] / 255)
    first, second = block_weights(len(maps))
    found = pass_block(maps, 0 * first, 0 * second)
    assert (found.residual == maps).all()
    assert changed(maps, found.residual) == 0
    assert (found.plain == 0).all()
    assert changed(maps, found.plain) == 1


def test_maps_are_activations_and_plain_pictures_have_none() -> None:
    maps = maps_of(SAMPLES["shapes"].load(24)[..., 0] / 255)
    assert maps.shape == (len(MAPS), 24, 24)
    assert maps.min() == 0
    assert (maps.max(axis=(1, 2)) == 1).all()
    empty = maps_of(np.zeros((24, 24)))
    assert (empty == 0).all()
    assert changed(empty, empty) == 0

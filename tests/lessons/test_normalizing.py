from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnncore.errors import ConfigError
from cnncore.lessons.normalizing import batch_norm, dropout, local_response_norm


@pytest.mark.parametrize("seed", range(50))
def test_batch_norm_is_torchs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = rng.normal(rng.normal(), 1 + rng.random(), size=tuple(rng.integers(2, 7, size=4)))
    scale, shift = float(rng.normal()), float(rng.normal())
    channels = maps.shape[1]
    expected = functional.batch_norm(
        torch.from_numpy(maps),
        None,
        None,
        torch.full((channels,), scale, dtype=torch.float64),
        torch.full((channels,), shift, dtype=torch.float64),
        training=True,
    )
    np.testing.assert_allclose(batch_norm(maps, scale=scale, shift=shift), expected.numpy(), atol=1e-9)


@pytest.mark.parametrize("seed", range(50))
def test_local_response_norm_is_torchs_with_alpha_times_the_size(seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = 10 * rng.normal(size=(int(rng.integers(1, 12)), 3, 4))
    size, alpha = int(rng.integers(1, 8)), float(rng.random())
    expected = functional.local_response_norm(torch.from_numpy(maps)[None], size, alpha=alpha * size, beta=0.75, k=2.0)
    np.testing.assert_allclose(local_response_norm(maps, size=size, alpha=alpha), expected[0].numpy(), atol=1e-12)


def test_dropout_keeps_the_expected_sum() -> None:
    values = np.ones((400, 500))
    dropped = dropout(values, 0.3, seed=0)
    assert set(np.unique(dropped).round(9)) == {0.0, round(1 / 0.7, 9)}
    # Six standard errors of the mean of 200,000 draws.
    assert abs(dropped.mean() - 1) < 6 * np.sqrt(0.3 / 0.7 / values.size)
    np.testing.assert_array_equal(dropped, dropout(values, 0.3, seed=0))
    assert (dropped != dropout(values, 0.3, seed=1)).any()


def test_impossible_settings_are_one_sentence() -> None:
    with pytest.raises(ConfigError, match="share"):
        dropout(np.ones(3), 1.0, seed=0)
    with pytest.raises(ConfigError, match="size"):
        local_response_norm(np.ones((1, 1, 1)), size=0)

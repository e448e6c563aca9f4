from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnncore.errors import ConfigError
from cnncore.lessons.normalizing import (
    batch_statistics,
    dropout,
    local_response_norm,
    normalize,
    response_divisor,
    running_averages,
)
from cnncore.models.blocks import LocalResponseNorm


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
    np.testing.assert_allclose(
        normalize(maps, batch_statistics(maps), scale=scale, shift=shift), expected.numpy(), atol=1e-9
    )


@pytest.mark.parametrize("seed", range(50))
def test_local_response_norm_is_torchs_with_alpha_times_the_size(seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = 10 * rng.normal(size=(int(rng.integers(1, 12)), 3, 4))
    size, alpha = int(rng.integers(1, 8)), float(rng.random())
    expected = functional.local_response_norm(torch.from_numpy(maps)[None], size, alpha=alpha * size, beta=0.75, k=2.0)
    np.testing.assert_allclose(local_response_norm(maps, size=size, alpha=alpha), expected[0].numpy(), atol=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_running_averages_and_what_evaluation_makes_of_them_are_torchs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    num, channels, height, width = (int(side) for side in rng.integers(2, 6, size=4))
    layer = torch.nn.BatchNorm2d(channels, dtype=torch.float64)
    batches = rng.normal(3, 5, size=(int(rng.integers(1, 20)), num, channels, height, width))
    kept = running_averages([batch_statistics(batch) for batch in batches], num * height * width)
    for number, batch in enumerate(batches):
        state = layer.state_dict()
        np.testing.assert_allclose(kept[number].mean, state["running_mean"].numpy(), atol=1e-9)
        np.testing.assert_allclose(kept[number].variance, state["running_var"].numpy(), atol=1e-9)
        layer.train()(torch.from_numpy(batch))
    scale, shift = float(rng.normal()), float(rng.normal())
    with torch.no_grad():
        layer.weight.fill_(scale)
        layer.bias.fill_(shift)
        expected = layer.eval()(torch.from_numpy(batches[0]))
    np.testing.assert_allclose(normalize(batches[0], kept[-1], scale=scale, shift=shift), expected.numpy(), atol=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_local_response_norm_is_that_of_the_labs_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = 100 * rng.random((2, int(rng.integers(1, 12)), 3, 4))
    expected = LocalResponseNorm(maps.shape[1]).double()(torch.from_numpy(maps))
    # Its weights were made in single precision.
    np.testing.assert_allclose(local_response_norm(maps), expected.numpy(), rtol=1e-6)
    np.testing.assert_allclose(maps / response_divisor(maps), expected.numpy(), rtol=1e-6)


def test_batch_norm_takes_every_scale_away_but_for_epsilon() -> None:
    maps = np.random.default_rng(0).gamma(0.5, size=(4, 3, 6, 6))
    for factor in (1e-1, 1e2):
        changed = factor * maps + 7
        found = normalize(changed, batch_statistics(changed))
        np.testing.assert_allclose(found, normalize(maps, batch_statistics(maps)), rtol=5e-3)


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

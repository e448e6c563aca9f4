"""Batch normalization, local response normalization and dropout on real activations, as torch computes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.errors import ConfigError

Array = npt.NDArray[np.float64]
EPSILON = 1e-5
MOMENTUM = 0.1
"""Share of the new batch in running averages; torch's and Keras' `1 - momentum`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Statistics:
    """Mean and variance of each channel, (C,) each."""

    mean: Array
    variance: Array

    @property
    def deviation(self) -> Array:
        """Square root of the variance, (C,)."""
        return np.sqrt(self.variance)


def batch_statistics(maps: Array) -> Statistics:
    """Of a batch (N, C, H, W), over images, rows and columns; the variance is divided by their number."""
    return Statistics(mean=maps.mean(axis=(0, 2, 3)), variance=maps.var(axis=(0, 2, 3)))


def normalize(maps: Array, statistics: Statistics, *, scale: float = 1.0, shift: float = 0.0) -> Array:
    """A batch (N, C, H, W) with each channel's mean taken away, divided by its deviation, then scaled and shifted.

    Ioffe and Szegedy 2015, Algorithm 1: while training with the `batch_statistics` of the batch itself.
    """
    mean, variance = statistics.mean[:, None, None], statistics.variance[:, None, None]
    return scale * (maps - mean) / np.sqrt(variance + EPSILON) + shift


def running_averages(seen: list[Statistics], count: int) -> list[Statistics]:
    """What is kept for later after 0, 1, ... batches of `count` values a channel: it begins with mean 0, variance 1.

    As torch does it: of each batch a tenth goes in, with the variance divided by `count` − 1. Ioffe and Szegedy 2015
    (Algorithm 2) correct the variance likewise and name moving averages as one way to collect it.
    """
    channels = len(seen[0].mean) if seen else 0
    found = [Statistics(mean=np.zeros(channels), variance=np.ones(channels))]
    for batch in seen:
        last = found[-1]
        found.append(
            Statistics(
                mean=(1 - MOMENTUM) * last.mean + MOMENTUM * batch.mean,
                variance=(1 - MOMENTUM) * last.variance + MOMENTUM * batch.variance * count / (count - 1),
            )
        )
    return found


def response_divisor(maps: Array, *, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> Array:
    """What local response normalization divides each value of maps (..., C, H, W) by.

    Krizhevsky et al. 2012, section 3.3, with their constants; alpha is not divided by the size there, as torch does, so
    that torch's alpha is `size` times this one.

    Raises:
        ConfigError: if the size is below 1.
    """
    if size < 1:
        raise ConfigError("size", f"The size is {size}; at least 1 is needed.")
    channels = maps.shape[-3]
    before = size // 2
    padded = np.pad(maps**2, [(0, 0)] * (maps.ndim - 3) + [(before, size - 1 - before), (0, 0), (0, 0)])
    sums = np.zeros_like(maps)
    for start in range(size):
        sums += padded[..., start : start + channels, :, :]
    return (k + alpha * sums) ** beta


def local_response_norm(
    maps: Array, *, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> Array:
    """Each value of maps (..., C, H, W) divided by what its neighbors in other channels do at the same place."""
    return maps / response_divisor(maps, size=size, alpha=alpha, beta=beta, k=k)


def dropout(values: Array, share: float, seed: int) -> Array:
    """Each value 0 with this probability, the others enlarged so that the expected sum stays (inverted dropout).

    Srivastava et al. 2014; they shrink the weights after training instead, which comes to the same.

    Raises:
        ConfigError: if the share is not from 0 to below 1.
    """
    if not 0 <= share < 1:
        raise ConfigError("share", f"The share is {share:g}; it must be from 0 to below 1.")
    kept = np.random.default_rng(seed).random(values.shape) >= share
    return values * kept / (1 - share)

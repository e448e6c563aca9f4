"""Batch normalization, local response normalization and dropout on real activations, as torch computes them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cnncore.errors import ConfigError

Array = npt.NDArray[np.float64]
EPSILON = 1e-5


def batch_norm(maps: Array, *, scale: float = 1.0, shift: float = 0.0) -> Array:
    """Each channel of a batch (N, C, H, W) with mean `shift` and deviation `scale` over batch, height and width.

    Ioffe and Szegedy 2015, Algorithm 1, while training: the variance is that of the batch, divided by its size.
    """
    mean = maps.mean(axis=(0, 2, 3), keepdims=True)
    variance = maps.var(axis=(0, 2, 3), keepdims=True)
    return scale * (maps - mean) / np.sqrt(variance + EPSILON) + shift


def local_response_norm(
    maps: Array, *, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> Array:
    """Each value of maps (C, H, W) divided by what its neighbors in other channels do at the same place.

    Krizhevsky et al. 2012, section 3.3, with their constants; alpha is not divided by the size there, as torch does, so
    that torch's alpha is `size` times this one.

    Raises:
        ConfigError: if the size is below 1.
    """
    if size < 1:
        raise ConfigError("size", f"The size is {size}; at least 1 is needed.")
    squares = maps**2
    before = size // 2
    padded = np.pad(squares, [(before, size - 1 - before), (0, 0), (0, 0)])
    sums = sum(padded[start : start + len(maps)] for start in range(size))
    return maps / (k + alpha * sums) ** beta


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

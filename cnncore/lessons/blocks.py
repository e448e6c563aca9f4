"""A residual block on real activations: what it adds, and what it hands on with a shortcut and without one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cnncore.lessons.kernels import KERNELS
from cnncore.lessons.sliding import Sliding, convolve

Array = npt.NDArray[np.float64]
MAPS = ("sobel_x", "sobel_y", "edges", "emboss")
"""Kernels that make the maps a block gets."""
_SLIDING = Sliding(kernel=(3, 3), padding=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """What a block makes of its input x, each (C, H, W).

    Attributes:
        added: F(x): convolution, ReLU, convolution.
        total: F(x) + x.
        residual: What it hands on with the shortcut: ReLU(F(x) + x).
        plain: What it would hand on without it: ReLU(F(x)).
    """

    added: Array
    total: Array
    residual: Array
    plain: Array


def maps_of(gray: Array) -> Array:
    """The maps (C, H, W) that the kernels `MAPS` with a ReLU make of lightness (H, W); the largest of each is 1.

    The picture is mirrored at its edge, so that the edge itself is no edge.
    """
    kernels = np.stack([KERNELS[key].values[None] for key in MAPS])
    maps = np.maximum(convolve(gray[None], kernels, replace(_SLIDING, padding_mode="reflect")), 0)
    largest = maps.max(axis=(1, 2), keepdims=True)
    return maps / np.where(largest > 0, largest, 1)


def block_weights(channels: int, seed: int = 0) -> tuple[Array, Array]:
    """Two layers of 3×3 kernels by He's initialization, each (C, C, 3, 3)."""
    rng = np.random.default_rng(seed)
    shape = (channels, channels, 3, 3)
    deviation = float(np.sqrt(2 / (9 * channels)))
    return rng.normal(scale=deviation, size=shape), rng.normal(scale=deviation, size=shape)


def pass_block(maps: Array, first: Array, second: Array) -> Block:
    """Send maps (C, H, W) through a block of two convolutions (C, C, 3, 3) (He et al. 2015, Figure 2).

    Our deviation: no normalization, so that nothing but the weights decides how large F(x) is.

    Raises:
        ConfigError: if the kernels do not fit the maps.
    """
    added = convolve(np.maximum(convolve(maps, first, _SLIDING), 0), second, _SLIDING)
    total = added + maps
    return Block(added=added, total=total, residual=np.maximum(total, 0), plain=np.maximum(added, 0))


def changed(maps: Array, result: Array) -> float:
    """How far a result is from the maps: mean absolute difference as a share of the mean absolute value."""
    size = np.abs(maps).mean()
    return float(np.abs(result - maps).mean() / size) if size else 0.0

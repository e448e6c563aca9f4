"""A dense and a convolutional layer on the same image: what an output is connected to, and how many weights it takes.

LeCun: Generalization and network design strategies, 1989: local connections and shared weights. A convolution is a
dense layer most of whose weights are 0 and whose others are the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.arithmetic import conv_output_size, conv_params, dense_params
from cnncore.lessons.sliding import Sliding, convolve

Array = npt.NDArray[np.float64]

BYTES_PER_WEIGHT = 4
LEAST_SEEDS, MOST_SEEDS, MOST_EPOCHS = 3, 10, 10
"""Trainings of each network, and their epochs, in the experiment with shuffled pixels."""
# RandomState below, not default_rng: numpy promises that its numbers never change, and links name the seeds.


def random_kernel(kernel: int, seed: int) -> Array:
    """The weights of one filter, (kernel, kernel), normal with deviation 1 / kernel, so that outputs keep the scale."""
    return np.random.RandomState(seed).standard_normal((kernel, kernel)) / kernel


def random_dense(side: int, outputs: int, seed: int) -> Array:
    """The weights of a dense layer for an image of side × side pixels, (outputs, side²), likewise scaled."""
    return np.random.RandomState(seed).standard_normal((outputs, side * side)) / side


def convolved(image: Array, kernel: Array) -> Array:
    """The map of one filter over an image (H, W), without padding."""
    sliding = Sliding(kernel=(kernel.shape[0], kernel.shape[1]))
    return convolve(image[None], kernel[None, None], sliding)[0]


def applied(weights: Array, image: Array) -> Array:
    """What a dense layer makes of an image (H, W): (outputs,)."""
    return weights @ image.ravel()


def off_after_shift(before: Array, after: Array, right: int) -> float:
    """How far a map (H', W') is from the earlier one moved to the right with the image.

    Root mean square of the difference over that of the earlier map, where both are known; 0: it has moved along.
    """
    columns = before.shape[1] - right
    moved, now = before[:, :columns], after[:, right:]
    size = float(np.sqrt(np.square(moved).mean()))
    return float(np.sqrt(np.square(now - moved).mean())) / size if size else 0.0


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Parameters of the layers that could look at an image, biases included.

    Attributes:
        map_side: Of a filter's map, without padding.
        convolution: `filters` filters, each of which gives a whole map.
        dense: A dense layer with as many outputs as there are filters, each a single number.
        dense_maps: A dense layer with as many outputs as the convolution's maps have numbers.
    """

    map_side: int
    convolution: int
    dense: int
    dense_maps: int


def count(side: int, channels: int, filters: int, kernel: int) -> Counts:
    """Parameters for an image of side × side pixels.

    Raises:
        ConfigError: if the kernel does not fit into the image.
    """
    map_side = conv_output_size(side, kernel)
    inputs = channels * side * side
    return Counts(
        map_side=map_side,
        convolution=conv_params(channels, filters, kernel),
        dense=dense_params(inputs, filters),
        dense_maps=dense_params(inputs, filters * map_side * map_side),
    )


def pixel_order(num_pixels: int, seed: int) -> npt.NDArray[np.int64]:
    """A shuffled order of pixels, the same for all images of an experiment."""
    return np.random.RandomState(seed).permutation(num_pixels)

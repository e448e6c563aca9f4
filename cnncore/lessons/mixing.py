"""1 × 1 convolutions: a small network that looks at the channels of one pixel, the same one at every pixel.

Lin, Chen, Yan: Network in network, 2014, section 3.1: dense layers with rectifiers over the channels of each place,
which is what 1 × 1 convolutions compute.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.errors import ConfigError
from cnncore.lessons.sliding import Sliding, convolve

Array = npt.NDArray[np.float64]
CHANNELS, HIDDEN = 3, 4
NUM_NUMBERS = HIDDEN * (CHANNELS + 1) + HIDDEN + 1
LARGEST = 10.0
"""Magnitude of a weight or bias."""


@dataclass(frozen=True, kw_only=True)
class Mix:
    """A network for one pixel: its three channels, four hidden units and one output, rectified both.

    Attributes:
        title: What it is called.
        words: What its output tells.
        numbers: Of each hidden unit the weights of red, green and blue and its bias; then the output's.
    """

    title: str
    words: str
    numbers: tuple[float, ...]

    @property
    def hidden(self) -> tuple[Array, Array]:
        """Weights (4, 3) and biases (4,) of the hidden units."""
        found = np.array(self.numbers[: HIDDEN * (CHANNELS + 1)]).reshape(HIDDEN, CHANNELS + 1)
        return found[:, :CHANNELS], found[:, CHANNELS]

    @property
    def output(self) -> tuple[Array, Array]:
        """Weights (1, 4) and bias (1,) of the output."""
        found = np.array(self.numbers[HIDDEN * (CHANNELS + 1) :])
        return found[None, :HIDDEN], found[HIDDEN:]


MIXES = {
    "yellow": Mix(
        title="How yellow?",
        words="Twice the smaller one of red and green, less blue. The smaller one is red − max(0, red − green), which "
        "no weighted sum of channels can tell without the nonlinearity (ReLU).",
        numbers=(1, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, -2, 2, -2, 0, 0),
    ),
    "colorful": Mix(
        title="How colorful?",
        words="Half of how far apart red and green are, and green and blue: of a difference and its opposite, ReLU "
        "always makes one 0.",
        numbers=(1, -1, 0, 0, -1, 1, 0, 0, 0, 1, -1, 0, 0, -1, 1, 0, 0.5, 0.5, 0.5, 0.5, 0),
    ),
    "bright": Mix(
        title="Only what is bright",
        words="Lightness, of which the bias takes 0.6 away, and the ReLU all that is darker.",
        numbers=(0.299, 0.587, 0.114, -0.6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2.5, 0, 0, 0, 0),
    ),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Mixed:
    """An image after the two layers.

    Attributes:
        sums: Before the ReLU of the hidden units, (4, H, W).
        hidden: After it.
        total: Before the ReLU of the output, (1, H, W).
        output: After it.
    """

    sums: Array
    hidden: Array
    total: Array
    output: Array


def read_numbers(text: str) -> tuple[float, ...]:
    """The numbers of a network for one pixel, with commas between them.

    Raises:
        ConfigError: if they are not as many as it takes, or not finite numbers of a reasonable size.
    """
    try:
        found = tuple(float(each) for each in text.split(","))
    except ValueError:
        raise ConfigError("numbers", "Not all of them are numbers.", _HINT) from None
    if len(found) != NUM_NUMBERS:
        raise ConfigError("numbers", f"The numbers are {len(found)}.", _HINT)
    if not all(abs(each) <= LARGEST for each in found):
        raise ConfigError("numbers", "One of the numbers is out of range.", _HINT)
    return found


_HINT = f"Allowed: {NUM_NUMBERS} numbers from −{LARGEST:g} to {LARGEST:g}, with commas between them."


def write_numbers(numbers: tuple[float, ...]) -> str:
    """Numbers as links have them; `read_numbers` reads them."""
    return ",".join(f"{each:g}" for each in numbers)


def mixed(image: Array, mix: Mix) -> Mixed:
    """The network as two 1 × 1 convolutions of an image (3, H, W)."""
    sliding = Sliding(kernel=(1, 1))
    (weights, biases), (last, last_bias) = mix.hidden, mix.output
    sums = convolve(image, weights[:, :, None, None], sliding, bias=biases)
    hidden = np.maximum(sums, 0)
    total = convolve(hidden, last[:, :, None, None], sliding, bias=last_bias)
    return Mixed(sums=sums, hidden=hidden, total=total, output=np.maximum(total, 0))


def pixel_by_pixel(image: Array, mix: Mix) -> Array:
    """The output of the network as dense layers that get one pixel (3,) of an image (3, H, W) after the other."""
    (weights, biases), (last, last_bias) = mix.hidden, mix.output
    found = np.empty((1, *image.shape[1:]))
    for row, column in np.ndindex(*image.shape[1:]):
        hidden = np.maximum(weights @ image[:, row, column] + biases, 0)
        found[:, row, column] = np.maximum(last @ hidden + last_bias, 0)
    return found

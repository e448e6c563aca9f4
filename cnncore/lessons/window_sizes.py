"""How many windows fit into a row of pixels, for every setting of the lesson's sliders at once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from cnncore.arithmetic import conv_output_size
from cnncore.errors import ConfigError

Table = npt.NDArray[np.uint8]

RANGES: dict[str, tuple[int, int]] = {"n": (4, 32), "k": (1, 11), "p": (0, 5), "s": (1, 5), "d": (1, 3)}
"""Least and largest pixels, kernel, padding, stride and dilation; the axes of the tables."""
NO_ROOM = 255
"""Stands in the tables where the window does not fit."""
PROBLEM = (
    "A window of {extent} pixels does not fit into {size} pixels with {padding} of padding on each side. Take a "
    "smaller kernel, more padding or larger images."
)
"""What `cnncore.arithmetic` says then."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SizeTables:
    """What the formula gives, uint8, with one axis each for n, k, p, s, d.

    Attributes:
        outputs: Places of the window: the output's size.
        room: Pixels that the window can move by: what stands above the stroke of the fraction.
        left_over: Pixels behind the last window, padding included: what the floor drops.
    """

    outputs: Table
    room: Table
    left_over: Table


@cache
def size_tables() -> SizeTables:
    """The tables over RANGES."""
    axes = [range(low, high + 1) for low, high in RANGES.values()]
    found = np.array([_one(*values) for values in itertools.product(*axes)], np.uint8)
    outputs, room, left_over = found.T.reshape(3, *map(len, axes))
    return SizeTables(outputs=outputs, room=room, left_over=left_over)


def _one(size: int, kernel: int, padding: int, stride: int, dilation: int) -> tuple[int, int, int]:
    try:
        outputs = conv_output_size(size, kernel, stride, padding, dilation)
    except ConfigError:
        return NO_ROOM, NO_ROOM, NO_ROOM
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    return outputs, room, room - (outputs - 1) * stride

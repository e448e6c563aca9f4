"""What a shift of the image does to its maps: by how much they change, and whether they have only moved.

Zhang: Making convolutional networks shift-invariant again, 2019: pooling with a stride gives moved maps only for shifts
by whole strides; in between it samples other places, and the values change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cnncore.lessons.sliding import pool, winners
from cnncore.lessons.transforms import shift

Array = npt.NDArray[np.float64]
Shift = tuple[int, int]
"""Pixels to the right, pixels down."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShiftedMaps:
    """What a pooling makes of an image under several shifts.

    Attributes:
        maps: (shifts, H', W').
        winners: Which value of its window is the largest at each place, counted row by row, (shifts, H', W').
        changes: By how much each differs from the map of the image that is not shifted, as `change` says it, (shifts,).
        rests: By how much after each is moved back by whole places, in shares of the same contrast, (shifts,); NaN
            where no place is left to compare.
        pooled_globally: The same pooling over the whole of each map, (shifts,).
    """

    maps: Array
    winners: npt.NDArray[np.intp]
    changes: Array
    rests: Array
    pooled_globally: Array


def under_shifts(
    image: Array, shifts: Sequence[Shift], kernel: int, stride: int, kind: Literal["max", "average"]
) -> ShiftedMaps:
    """The maps of an image (H, W) of equal height and width under shifts, one of which is none.

    Raises:
        ConfigError: if the window does not fit.
    """
    moved = np.concatenate([shift(image[None], *by) for by in shifts])
    maps = pool(moved, kernel, stride, kind)
    still = maps[list(shifts).index((0, 0))]
    parts = [moved_back(still, each, by, len(image), kernel, stride) for by, each in zip(shifts, maps, strict=True)]
    return ShiftedMaps(
        maps=maps,
        winners=winners(moved, kernel, stride),
        changes=np.array([change(still, each) for each in maps]),
        rests=np.array(
            [_share(np.abs(before - after).mean(), still) if before.size else np.nan for before, after in parts]
        ),
        pooled_globally=(np.max if kind == "max" else np.mean)(maps, axis=(1, 2)),
    )


def change(before: Array, after: Array) -> float:
    """Mean difference of two maps of one shape, as a share of the first one's contrast.

    The contrast is the mean distance of its values from their mean, so that 1 means: values differ from what they were
    as much as from one another. Infinite for a plain map that changes.
    """
    return _share(np.abs(after - before).mean(), before)


def _share(difference: float, before: Array) -> float:
    contrast = float(np.abs(before - before.mean()).mean())
    return float(difference) / contrast if contrast > 0 else np.inf if difference > 0 else 0.0


def moved_back(before: Array, after: Array, shift: Shift, size: int, kernel: int, stride: int) -> tuple[Array, Array]:
    """The values of two maps (H', W') that see the same pixels but for a rest of the shift below one stride.

    Places whose window covers what came in at the edge are left out.

    Args:
        before: Map of the image.
        after: Map of the shifted image.
        shift: Of the image.
        size: Height and width of the image in pixels.
        kernel: Height and width of the window.
        stride: Pixels from one place to the next.

    Returns:
        Parts of both maps, of one shape; empty where none is left.
    """
    (rows_before, rows_after), (columns_before, columns_after) = (
        _kept(by, count, size, kernel, stride) for by, count in zip(reversed(shift), before.shape, strict=True)
    )
    return before[rows_before, columns_before], after[rows_after, columns_after]


def _kept(by: int, count: int, size: int, kernel: int, stride: int) -> tuple[slice, slice]:
    """Along one side, the places of the map before and after."""
    places = whole_places(by, stride)
    kept = [
        at
        for at in range(count)
        if 0 <= at - places < count and at * stride >= by and at * stride + kernel <= size + min(by, 0)
    ]
    first, end = (kept[0], kept[-1] + 1) if kept else (0, 0)
    return slice(max(first - places, 0), max(end - places, 0)), slice(first, end)


def whole_places(by: int, stride: int) -> int:
    """Whole places that a map moves by when its image is shifted by so many pixels, towards zero."""
    return int(by / stride)

"""What every unit of a stack sees, along one side, and how much of it counts: for all units of all layers at once.

A stack's windows are square and treat rows as columns, so that what holds for a side holds for the image: a unit sees
the pixels that it sees by row and by column.

How much a pixel counts is the root mean square of the gradient over weights that are drawn independently around zero
(Luo et al. 2016, section 2), without activations in between. The products of different weights then cancel out on
average, and what is left is the number of ways from the pixel to the unit: along the rows times along the columns. That
holds with poolings too while their windows lie side by side, as all in `STACKS` do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.arithmetic import ReceptiveField, conv_output_size
from cnncore.errors import ConfigError
from cnncore.lessons.fields import Window, seen_by, sizes_through

Array = npt.NDArray[np.float64]
NO_TAP = -1
"""In `Reach.taps`, where a window lies on padding or has no more pixels."""


@dataclass(frozen=True, kw_only=True)
class WindowStack:
    """Layers that one can look through.

    Attributes:
        title: What it is called.
        side: Pixels along a side of the image.
        windows: The layers, input side first.
    """

    title: str
    side: int
    windows: tuple[Window, ...]


_POOL = Window(kernel=2, stride=2, pooling=True)
_KEEPING = Window(kernel=3, padding=1)
STACKS: dict[str, WindowStack] = {
    "three": WindowStack(title="Three 3 × 3", side=48, windows=(Window(kernel=3),) * 3),
    "one": WindowStack(title="One 7 × 7", side=48, windows=(Window(kernel=7),)),
    "lenet5": WindowStack(
        title="LeNet-5", side=32, windows=(Window(kernel=5), _POOL, Window(kernel=5), _POOL, Window(kernel=5))
    ),
    "vgg": WindowStack(title="VGG, first two blocks", side=48, windows=(*(_KEEPING, _KEEPING, _POOL) * 2,)),
    "strides": WindowStack(title="Strides", side=48, windows=(Window(kernel=3, stride=2, padding=1),) * 3),
    "dilated": WindowStack(
        title="Dilated 1, 2, 4",
        side=48,
        windows=tuple(Window(kernel=3, padding=step, dilation=step) for step in (1, 2, 4)),
    ),
}
"""LeNet-5 and VGG with the mean for their poolings: subsampling has one weight a map, and the place of a maximum is
taken to be any of its window's (LeCun et al. 1998; Simonyan and Zisserman 2015, Table 1). Dilations as in Yu and Koltun
2016."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reach:
    """Along one side, for unit `u` of layer `l` (0 is the first layer), with `most` units in the widest layer or image.

    Attributes:
        sizes: Units of the image and of each layer.
        fields: Size of what a unit of each layer sees, in pixels.
        spans: First and, not included, last unit that it sees in the image (0) and in each layer below, before the
            edges; its own place in its own layer, int32 (layers, most, layers + 1, 2).
        touched: Which of those units really have a way to it, bool (layers, most, layers + 1, most).
        taps: Units of the layer below that its window lies on, NO_TAP elsewhere, int32 (layers, most, widest kernel).
        lines: How much each pixel counts, 1 for the one that counts most, float64 (layers, most, side); what a pixel of
            the image counts is the product for its row and its column.
        centers: Middle of what it sees, in pixels, of the image's pixels too, float64 (layers + 1, most).
        middles: Size of the middle part of each layer's field: about half its side.
        shares: Share that this part has in the sum of squared gradients, and share in the pixels seen inside the image,
            float64 (layers, most, 2).
    """

    sizes: tuple[int, ...]
    fields: tuple[int, ...]
    spans: npt.NDArray[np.int32]
    touched: npt.NDArray[np.bool_]
    taps: npt.NDArray[np.int32]
    lines: Array
    centers: Array
    middles: tuple[int, ...]
    shares: Array


def possible(windows: Sequence[Window], size: int) -> tuple[tuple[Window, ...], ConfigError | None]:
    """The layers up to the first that does not fit an image of `size` pixels, and why it does not."""
    found: list[Window] = []
    for window in windows:
        try:
            size = conv_output_size(size, window.kernel, window.stride, window.padding, window.dilation)
        except ConfigError as problem:
            return tuple(found), problem
        found.append(window)
    return tuple(found), None


def middle_of(field: int) -> int:
    """Pixels along the middle part of a field of `field` pixels: half of it, as many left out before as behind."""
    half = field // 2
    return max(half + (field - half) % 2, 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Deep:
    """What one output of many equal layers sees, far from the edges.

    Attributes:
        field: Size of what it sees, in pixels.
        effective: Side of the smallest middle part that has most of the influence, the gradient squared.
        line: How much each of these pixels counts along a side, 1 for the one that counts most, float64 (field,).
    """

    field: int
    effective: int
    line: Array


def deeper(kernel: int, most: int, share: float = 0.95) -> tuple[Deep, ...]:
    """Stacks of 1 to `most` layers of `kernel` × `kernel` with stride 1.

    Args:
        kernel: Height and width of each window.
        most: Layers of the last stack.
        share: Of the influence that the effective field has at least; Luo et al. take the pixels with more than 4.55 %
            of what the middle one counts instead, which grows alike.
    """
    ways = np.ones(1)
    found: list[Deep] = []
    for _ in range(most):
        ways = np.convolve(ways, np.full(kernel, 1 / kernel))
        # The share of the middle part of 1, 3, 5… pixels more than the least, along both sides.
        middle = (len(ways) - 1) // 2
        inside = [ways[middle - out : len(ways) - middle + out].sum() ** 2 for out in range(middle + 1)]
        out = next(place for place, part in enumerate(inside) if part >= share * inside[-1])
        line = np.sqrt(ways / ways.max())
        found.append(Deep(field=len(ways), effective=len(ways) - 2 * (middle - out), line=line))
    return tuple(found)


def reach(windows: Sequence[Window], size: int) -> Reach:
    """What every unit of every layer sees of an image of `size` pixels.

    Raises:
        ConfigError: if a window does not fit.
    """
    sizes = sizes_through(windows, size)
    most, count = max(sizes), len(windows)
    fields = _fields(windows)
    spans = np.zeros((count, most, count + 1, 2), np.int32)
    touched = np.zeros((count, most, count + 1, most), np.bool_)
    taps = np.full((count, most, max((window.kernel for window in windows), default=1)), NO_TAP, np.int32)
    lines, shares = np.zeros((count, most, size)), np.zeros((count, most, 2))
    centers = np.zeros((count + 1, most))
    centers[:] = [field.start + field.jump * np.arange(most) for field in (ReceptiveField(), *fields)]
    middles = tuple(middle_of(field.size) for field in fields)
    steps = [_ways(window, before, after) for window, before, after in zip(windows, sizes, sizes[1:], strict=False)]
    for layer, window in enumerate(windows):
        units = sizes[layer + 1]
        taps[layer, :units, : window.kernel] = _taps(window, sizes[layer], units)
        ways = np.eye(units)
        for below in range(layer + 1, -1, -1):
            touched[layer, :units, below, : sizes[below]] = ways > 0
            spans[layer, :units, below] = [_span(windows[below : layer + 1], unit) for unit in range(units)]
            ways = ways @ steps[below - 1] if below else ways
        lines[layer, :units] = np.sqrt(ways / np.maximum(ways.max(axis=1, keepdims=True), 1))
        shares[layer, :units] = _shares(ways, spans[layer, :units, 0], middles[layer])
    return Reach(
        sizes=sizes,
        fields=tuple(field.size for field in fields),
        spans=spans,
        touched=touched,
        taps=taps,
        lines=lines,
        centers=centers,
        middles=middles,
        shares=shares,
    )


def counts(found: Reach, layer: int, row: int, column: int) -> Array:
    """How much each pixel counts for one unit, float64 (side, side), at most 1."""
    return np.outer(found.lines[layer, row], found.lines[layer, column])


def _fields(windows: Sequence[Window]) -> list[ReceptiveField]:
    fields = [ReceptiveField()]
    for window in windows:
        fields.append(fields[-1].through(window.kernel, window.stride, window.padding, window.dilation))
    return fields[1:]


def _span(windows: Sequence[Window], place: int) -> tuple[int, int]:
    seen = seen_by(windows, place)
    return seen.first, seen.end


def _taps(window: Window, before: int, after: int) -> npt.NDArray[np.int64]:
    """Units below each window, (after, kernel); NO_TAP on padding."""
    corners = np.arange(after)[:, None] * window.stride - window.padding
    places = corners + window.dilation * np.arange(window.kernel)
    return np.where((places >= 0) & (places < before), places, NO_TAP)


def _ways(window: Window, before: int, after: int) -> Array:
    """1 where a unit's window lies on a unit of the layer below, (after, before)."""
    return (_taps(window, before, after)[:, :, None] == np.arange(before)).any(axis=1).astype(np.float64)


def _shares(ways: Array, spans: npt.NDArray[np.int32], middle: int) -> Array:
    pixels = np.arange(ways.shape[1])
    inside = (pixels >= spans[:, :1]) & (pixels < spans[:, 1:])
    margin = (spans[:, 1:] - spans[:, :1] - middle) // 2
    central = (pixels >= spans[:, :1] + margin) & (pixels < spans[:, 1:] - margin)
    weights = np.stack([ways, inside.astype(np.float64)])
    return ((weights * central).sum(axis=-1) / np.maximum(weights.sum(axis=-1), 1)).T

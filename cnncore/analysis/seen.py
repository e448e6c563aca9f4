"""What positions of maps see of an image, followed through what happens to it, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.models.recorder import Step

Spans = npt.NDArray[np.int64]
"""Of each position along a side, the first pixel that it sees and the one behind the last, (n, 2)."""
Taps = npt.NDArray[np.int64]
"""Of each position along a side, the positions of the input that it takes, (n, k); those that there are not are
padding."""


ROUNDING = 1e-9
FAR = 1 << 40
"""Behind every pixel."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the positions of maps see, by their rows and by their columns."""

    rows: Spans
    columns: Spans


def seen_by_steps(steps: Sequence[Step]) -> list[Seen | None]:
    """What the outputs of each step see; None where they have no height and width.

    Args:
        steps: As `cnncore.models.recorder` has them, the input first.
    """
    found: list[Seen | None] = []
    for place, step in enumerate(steps):
        sources = [found[source] for source in step.inputs]
        if len(step.out_shape) != 3:
            found.append(None)
        elif place == 0:
            _, height, width = step.out_shape
            found.append(Seen(*(_through(np.arange(side)[:, None], _pixels(side)) for side in (height, width))))
        else:
            found.append(_after(step, [source for source in sources if source is not None]))
    return [seen and Seen(_shown(seen.rows), _shown(seen.columns)) for seen in found]


def taps_of(step: Step, axis: int) -> Taps:
    """The positions of its input that each position of a step's output takes along the height (0) or the width (1)."""
    before, after = step.in_shape[1 + axis], step.out_shape[1 + axis]
    if step.window is not None:
        reach, window = step.window.dilation[axis], step.window
        starts = np.arange(after) * window.stride[axis] - window.padding[axis]
        return starts[:, None] + reach * np.arange(window.kernel[axis])
    if step.kind == "resize":
        return _interpolated(before, after)
    if "Adaptive" in step.type:
        starts, ends = np.arange(after) * before // after, -(-(np.arange(after) + 1) * before // after)
        return _ranges(starts, ends)
    padding = getattr(step.layer, "padding", None) if step.kind == "padding" else None
    first = int(padding[2 * (1 - axis)]) if padding is not None else 0
    return np.arange(after)[:, None] - first


def resized_reach(scale: float) -> float:
    """Width, in pixels of the input, of what an output pixel takes; `scale` of the input's make one of the output's.

    Bilinear with antialiasing: a triangle two input pixels wide, or two output pixels where those are larger.
    """
    return 2 * max(scale, 1.0)


def _interpolated(before: int, after: int) -> Taps:
    if before == after:
        return np.arange(after)[:, None]
    scale = before / after
    reach, middles = resized_reach(scale) / 2, (np.arange(after) + 0.5) * scale
    # At its ends the triangle is 0; what rounding leaves there is nothing either.
    starts = np.floor(middles - reach + 0.5 + ROUNDING).astype(np.int64)
    ends = np.ceil(middles + reach - 0.5 - ROUNDING).astype(np.int64)
    return _ranges(np.maximum(starts, 0), np.minimum(ends, before))


def _ranges(starts: Taps, ends: Taps) -> Taps:
    """The numbers from each start to its end; shorter ranges repeat their last number."""
    steps = np.arange((ends - starts).max())
    return np.minimum(starts[:, None] + steps, ends[:, None] - 1)


def _after(step: Step, sources: list[Seen]) -> Seen:
    rows, columns = (_joined([source.rows if axis == 0 else source.columns for source in sources]) for axis in (0, 1))
    if step.layer is None:
        return Seen(rows, columns)
    return Seen(_through(taps_of(step, 0), rows), _through(taps_of(step, 1), columns))


def _pixels(side: int) -> Spans:
    return np.stack([np.arange(side), np.arange(side) + 1], axis=1)


def _joined(spans: list[Spans]) -> Spans:
    lows, highs = zip(*((each[:, 0], each[:, 1]) for each in spans), strict=True)
    return np.stack([np.minimum.reduce(lows), np.maximum.reduce(highs)], axis=1)


def _through(taps: Taps, spans: Spans) -> Spans:
    """What is seen through windows; those of padding only see nothing: their first pixel is behind their last."""
    inside = (taps >= 0) & (taps < len(spans))
    held = spans[np.clip(taps, 0, len(spans) - 1)]
    lows = np.where(inside, held[..., 0], FAR).min(axis=1)
    highs = np.where(inside, held[..., 1], 0).max(axis=1)
    return np.stack([lows, highs], axis=1)


def _shown(spans: Spans) -> Spans:
    """With nothing seen from pixel 0 to pixel 0."""
    return np.where(spans[:, :1] < spans[:, 1:], spans, 0)

"""Signals of one dimension, and one of them sliding over the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LENGTH = 24
_NOISE = 0.18
_SEED = 3


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A row of numbers.

    Attributes:
        title: What it is called.
        words: What it is, or what it does to the other one.
        values: Its numbers.
    """

    title: str
    words: str
    values: tuple[float, ...]


def _noisy() -> tuple[float, ...]:
    step = np.where(np.arange(LENGTH) < LENGTH // 2, 0.2, 0.8)
    return tuple(np.round(step + np.random.default_rng(_SEED).normal(0, _NOISE, LENGTH), 2).tolist())


SIGNALS: dict[str, Signal] = {
    "box": Signal(title="Box", words="Nothing, then 1, then nothing.", values=(0.0,) * 7 + (1.0,) * 9 + (0.0,) * 8),
    "step": Signal(title="Step", words="0, and from the middle on 1.", values=(0.0,) * 12 + (1.0,) * 12),
    "impulse": Signal(
        title="Impulse",
        words="A single 1: the result is the sliding signal itself, once for true convolution, mirrored otherwise.",
        values=(0.0,) * 10 + (1.0,) + (0.0,) * 13,
    ),
    "impulses": Signal(
        title="Two impulses",
        words="Each leaves a copy of the sliding signal, one of half the height; where they overlap they add up.",
        values=(0.0,) * 6 + (1.0,) + (0.0,) * 3 + (0.5,) + (0.0,) * 13,
    ),
    "noisy": Signal(title="Noisy step", words="A step from 0.2 to 0.8 that noise has been added to.", values=_noisy()),
}
SLIDING_SIGNALS: dict[str, Signal] = {
    "mean": Signal(title="Mean of 5", words="Smooths: each number becomes the mean of five.", values=(0.2,) * 5),
    "bell": Signal(
        title="Bell",
        words="Smooths too, and near numbers count more: binomial weights.",
        values=(0.0625, 0.25, 0.375, 0.25, 0.0625),
    ),
    "decay": Signal(
        title="Echo that fades",
        words="Each number rings on, halved at every step: turned round or not makes a difference here.",
        values=(1.0, 0.5, 0.25, 0.125),
    ),
    "difference": Signal(
        title="Difference",
        words="A number less the one before it (convolution) or less the one after it (cross-correlation): edges.",
        values=(1.0, -1.0),
    ),
    "box": Signal(title="Box", words="Nine ones: a box over a box makes a triangle.", values=(1.0,) * 9),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Slide:
    """One signal sliding over another, at every place where they touch.

    Attributes:
        moving: The sliding signal as it is laid over the other, (M,): turned round for true convolution.
        starts: Where on the other signal it begins at each place, (N + M − 1,), from −(M − 1) on.
        marks: Where its first number lies, which turning round makes the last: the result's place on the axis.
        products: Number times number where they overlap, zeros elsewhere, (N + M − 1, M).
        result: The sums, (N + M − 1,).
    """

    moving: Array
    starts: npt.NDArray[np.int64]
    marks: npt.NDArray[np.int64]
    products: Array
    result: Array


def slide(signal: Array, other: Array, *, flip: bool) -> Slide:
    """`other` (M,) slides over `signal` (N,).

    Args:
        signal: Stays where it is.
        other: Slides.
        flip: Whether it is turned round first, which makes it the true convolution (`np.convolve`); cross-correlation
            (`np.correlate`) otherwise.
    """
    moving = other[::-1] if flip else other
    edge = len(other) - 1
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(signal, edge), len(other))
    products = windows * moving
    starts = np.arange(len(windows)) - edge
    marks = starts + edge if flip else starts
    return Slide(moving=moving, starts=starts, marks=marks, products=products, result=products.sum(axis=1))

"""What many layers do to a signal on its way up and to a gradient on its way down.

Stacks of dense layers of equal width, plain or with shortcuts around two layers each, drawn from seeds. Nothing is
trained: what is shown is the start, which decides whether there will be anything to learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cnncore.errors import ConfigError, lookup
from cnncore.lessons.normalizing import EPSILON

Array = npt.NDArray[np.float64]
ActivationName = Literal["relu", "leaky_relu", "sigmoid", "tanh", "none"]
Initialization = Literal["small", "glorot", "he", "large"]
LEAK = 0.01
MOST_LAYERS = 200
WIDTH = 64
IMAGES = 32


@dataclass(frozen=True, kw_only=True)
class Activation:
    """An activation function.

    Attributes:
        title: What it is called.
        formula: How it is written.
        value: The function.
        slope: Its derivative; at a kink the one to the left of it, as torch has it.
    """

    title: str
    formula: str
    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * x))


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        title="ReLU",
        formula="max(0, x)",
        value=lambda x: np.maximum(x, 0),
        slope=lambda x: (x > 0).astype(np.float64),
    ),
    "leaky_relu": Activation(
        title="Leaky ReLU",
        formula=f"x for x > 0, else {LEAK} · x",
        value=lambda x: np.where(x > 0, x, LEAK * x),
        slope=lambda x: np.where(x > 0, 1.0, LEAK),
    ),
    "sigmoid": Activation(
        title="Sigmoid",
        formula="1 / (1 + e⁻ˣ)",
        value=_sigmoid,
        slope=lambda x: _sigmoid(x) * (1 - _sigmoid(x)),
    ),
    "tanh": Activation(
        title="Tanh", formula="(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)", value=np.tanh, slope=lambda x: 1 - np.tanh(x) ** 2
    ),
    "none": Activation(title="None (linear)", formula="x", value=lambda x: x, slope=np.ones_like),
}

_DEVIATIONS: dict[Initialization, Callable[[int], float]] = {
    "small": lambda width: 0.5 * float(np.sqrt(1 / width)),
    "glorot": lambda width: float(np.sqrt(1 / width)),
    "he": lambda width: float(np.sqrt(2 / width)),
    "large": lambda width: 2 * float(np.sqrt(2 / width)),
}
"""Standard deviation of the weights of a layer of equal width: Glorot and Bengio 2010, He et al. 2015, half of the
former, which is too little, and twice the latter, which is too much."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """How every layer of a stack is made.

    Attributes:
        activation: Key of `ACTIVATIONS`.
        initialization: Deviation of the weights.
        bias: Added to every sum of a layer, before a shortcut is.
        residual: Whether shortcuts go around every two layers, with the activation after the sum (He et al. 2015).
        normalized: Whether each sum is normalized over the images of the batch before the bias is added (Ioffe and
            Szegedy 2015, with scale 1).
    """

    activation: str = "relu"
    initialization: Initialization = "he"
    bias: float = 0.0
    residual: bool = False
    normalized: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Passage:
    """What became of a signal and of a gradient, for each seed.

    Attributes:
        outputs: What each layer puts out, the input first, (layers + 1, seeds, images, width).
        signals: Standard deviation of it, (layers + 1, seeds).
        gradients: Root mean square of the gradient with respect to it, by the depth of the stack that it came down,
            (depths, layers + 1, seeds); 1 at the top of each stack, and not a number above it.
        dead: Share of each layer's units that are 0 for every image, (layers, seeds).
    """

    outputs: Array
    signals: Array
    gradients: Array
    dead: Array


@dataclass(frozen=True, eq=False, kw_only=True)
class _Layer:
    """What one layer leaves for the way down.

    Attributes:
        weights: (seeds, width, width).
        total: Its sums before the activation, (seeds, images, width).
        normal: The normalized sums, if they are; the same for deviation.
        deviation: What they were divided by, (seeds, 1, width).
    """

    weights: Array
    total: Array
    normal: Array | None
    deviation: Array | None


def pass_through(stack: Stack, depths: Sequence[int], seeds: Sequence[int] = (0,)) -> Passage:
    """Send a normally distributed input up through stacks of several depths, and a gradient down each of them.

    The layers of a stack are those of the deeper ones, so that the way up is one for all. The gradient that starts at
    the top is drawn as well, with a root mean square of 1: that of a loss which wants something else of every unit and
    image.

    Args:
        stack: How the layers are made.
        depths: How many layers; even numbers with shortcuts, since each of them goes around two.
        seeds: Of the weights, the input and the gradient.

    Raises:
        ConfigError: if there is no such activation or number of layers.
    """
    function = lookup(ACTIVATIONS, stack.activation, "activation", "activation")
    for depth in depths:
        _check_depth(depth, stack)
    layers = max(depths)
    draws = [np.random.default_rng(seed) for seed in seeds]
    start = np.stack([rng.normal(size=(IMAGES, WIDTH)) for rng in draws])
    top = np.stack([rng.normal(size=(IMAGES, WIDTH)) for rng in draws])
    top /= np.sqrt((top**2).mean(axis=(1, 2), keepdims=True))
    deviation = _DEVIATIONS[stack.initialization](WIDTH)
    outputs, made = [start], list[_Layer]()
    for place in range(layers):
        weights = np.stack([rng.normal(scale=deviation, size=(WIDTH, WIDTH)) for rng in draws])
        shortcut = outputs[-2] if stack.residual and place % 2 else None
        made.append(_layer(stack, outputs[-1], weights, shortcut))
        outputs.append(function.value(made[-1].total))
    found = np.stack(outputs)
    return Passage(
        outputs=found,
        signals=found.std(axis=(2, 3)),
        gradients=_downwards(stack, function, made, depths, top),
        dead=(found[1:] == 0).all(axis=2).mean(axis=2),
    )


def histograms(outputs: Array, low: float, high: float, bins: int) -> Array:
    """Share of each layer's outputs (layers, …) in bins of equal width from `low` to `high`, (layers, bins).

    What lies beyond is counted in the bin at that end.
    """
    layers = len(outputs)
    places = np.clip((outputs.reshape(layers, -1) - low) * (bins / (high - low)), 0, bins - 1).astype(np.int64)
    counts = np.stack([np.bincount(each, minlength=bins) for each in places])
    return counts / places.shape[1]


def _check_depth(depth: int, stack: Stack) -> None:
    if not 1 <= depth <= MOST_LAYERS or (stack.residual and depth % 2):
        allowed = f"1 to {MOST_LAYERS}" + (", even with shortcuts" if stack.residual else "")
        raise ConfigError("layers", f"There cannot be {depth} layers.", f"Allowed: {allowed}.")


def _layer(stack: Stack, below: Array, weights: Array, shortcut: Array | None) -> _Layer:
    total = below @ weights
    normal = deviation = None
    if stack.normalized:
        deviation = np.sqrt(total.var(axis=1, keepdims=True) + EPSILON)
        total = normal = (total - total.mean(axis=1, keepdims=True)) / deviation
    total = total + stack.bias
    return _Layer(
        weights=weights,
        total=total if shortcut is None else total + shortcut,
        normal=normal,
        deviation=deviation,
    )


def _downwards(stack: Stack, function: Activation, made: Sequence[_Layer], depths: Sequence[int], top: Array) -> Array:
    """The root mean squares of the gradients, (depths, layers + 1, seeds).

    All depths go down together: at each place those are in play that are at least as deep, deepest first.
    """
    order = sorted(range(len(depths)), key=lambda at: -depths[at])
    sizes = np.full((len(depths), len(made) + 1, len(top)), np.nan)
    gradient = np.empty((0, *top.shape))
    around = np.empty((0, *top.shape))
    for place in range(len(made), -1, -1):
        inside = [at for at in order if depths[at] >= place]
        new = len(inside) - len(gradient)
        gradient = np.concatenate([gradient, *([top[None]] * new)])
        sizes[inside, place] = np.sqrt((gradient**2).mean(axis=(2, 3)))
        if not place:
            break
        layer = made[place - 1]
        at_sum = gradient * function.slope(layer.total)
        gradient = _below(layer, at_sum)
        if stack.residual:
            if place % 2:
                gradient[: len(around)] += around
            else:
                around = at_sum
    return sizes


def _below(layer: _Layer, at_sum: Array) -> Array:
    """The gradient with respect to a layer's input, from that with respect to its sums."""
    if layer.normal is not None and layer.deviation is not None:
        along = (at_sum * layer.normal).mean(axis=-2, keepdims=True)
        at_sum = (at_sum - at_sum.mean(axis=-2, keepdims=True) - layer.normal * along) / layer.deviation
    return at_sum @ layer.weights.swapaxes(-1, -2)

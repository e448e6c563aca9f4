"""What many layers do to a signal on its way up and to a gradient on its way down.

Stacks of dense layers of equal width, plain or with shortcuts around two layers each, drawn from a seed. Nothing is
trained: what is shown is the start, which decides whether there will be anything to learn from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cnncore.errors import ConfigError, lookup

Array = npt.NDArray[np.float64]
Initialization = Literal["glorot", "he", "small"]
LEAK = 0.01
MOST_LAYERS = 200
WIDTH = 64
IMAGES = 32


@dataclass(frozen=True, kw_only=True)
class Activation:
    """An activation function.

    Attributes:
        title: What it is called.
        value: The function.
        slope: Its derivative; at a kink the one to the left of it, as torch has it.
    """

    title: str
    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * x))


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(title="ReLU", value=lambda x: np.maximum(x, 0), slope=lambda x: (x > 0).astype(np.float64)),
    "leaky_relu": Activation(
        title="Leaky ReLU",
        value=lambda x: np.where(x > 0, x, LEAK * x),
        slope=lambda x: np.where(x > 0, 1.0, LEAK),
    ),
    "sigmoid": Activation(title="Sigmoid", value=_sigmoid, slope=lambda x: _sigmoid(x) * (1 - _sigmoid(x))),
    "tanh": Activation(title="Tanh", value=np.tanh, slope=lambda x: 1 - np.tanh(x) ** 2),
    "none": Activation(title="None (linear)", value=lambda x: x, slope=np.ones_like),
}

_DEVIATIONS: dict[str, Callable[[int], float]] = {
    "glorot": lambda width: float(np.sqrt(1 / width)),
    "he": lambda width: float(np.sqrt(2 / width)),
    "small": lambda width: 0.5 * float(np.sqrt(1 / width)),
}
"""Standard deviation of the weights of a layer of equal width: Glorot and Bengio 2010, He et al. 2015, and half of the
former, which is too little."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Passage:
    """What became of a signal and of a gradient.

    Attributes:
        signals: Standard deviation of what each layer puts out, the input first, (layers + 1,).
        gradients: Root mean square of the gradient of the output's sum with respect to each layer's output, the input
            first, (layers + 1,); the last one is 1.
        dead: Share of each layer's units that are 0 for every image, (layers,).
    """

    signals: Array
    gradients: Array
    dead: Array


def pass_through(
    layers: int,
    activation: str,
    *,
    initialization: Initialization = "he",
    residual: bool = False,
    seed: int = 0,
) -> Passage:
    """Send a normally distributed input up through a stack, and a gradient of ones down again.

    Args:
        layers: How many; an even number with shortcuts, since each of them goes around two.
        activation: Key of `ACTIVATIONS`.
        initialization: Deviation of the weights; biases are 0.
        residual: Whether shortcuts go around every two layers, with the activation after the sum (He et al. 2015).
        seed: Of the weights and the input.

    Raises:
        ConfigError: if there is no such activation or number of layers.
    """
    function = lookup(ACTIVATIONS, activation, "activation", "activation")
    if not 1 <= layers <= MOST_LAYERS or (residual and layers % 2):
        allowed = f"1 to {MOST_LAYERS}" + (", even with shortcuts" if residual else "")
        raise ConfigError("layers", f"There cannot be {layers} layers.", f"Allowed: {allowed}.")
    rng = np.random.default_rng(seed)
    deviation = _DEVIATIONS[initialization](WIDTH)
    outputs, sums, weights = [rng.normal(size=(IMAGES, WIDTH))], list[Array](), list[Array]()
    for place in range(layers):
        weights.append(rng.normal(scale=deviation, size=(WIDTH, WIDTH)))
        total = outputs[-1] @ weights[-1]
        if residual and place % 2:
            total = total + outputs[-2]
        sums.append(total)
        outputs.append(function.value(total))
    gradients = _downwards(outputs, sums, weights, function, residual)
    return Passage(
        signals=np.array([output.std() for output in outputs]),
        gradients=np.array([np.sqrt((gradient**2).mean()) for gradient in gradients]),
        dead=np.array([(output == 0).all(axis=0).mean() for output in outputs[1:]]),
    )


def _downwards(
    outputs: list[Array], sums: list[Array], weights: list[Array], function: Activation, residual: bool
) -> list[Array]:
    """The gradient with respect to each layer's output, the input first."""
    found = [np.zeros_like(output) for output in outputs]
    found[-1] = np.ones_like(outputs[-1])
    for place in reversed(range(len(weights))):
        at_sum = found[place + 1] * function.slope(sums[place])
        found[place] += at_sum @ weights[place].T
        if residual and place % 2:
            found[place - 1] += at_sum
    return found

"""What the families share: activations, normalizations, poolings, initializations and the blocks made of them.

Order inside a convolution's block: convolution, batch normalization, activation, pooling, local response normalization.
Where the pooling takes maxima and the activation never falls, the pooling comes first: the result is the same and the
activation has a quarter of the work. With `norm_last` the normalization stands between activation and pooling, where
AlexNet's paper has it; the order otherwise is CaffeNet's, for the same reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor, nn

from cnncore.arithmetic import pool_output_size
from cnncore.models.layout import Flatten
from cnncore.models.options import Options
from cnncore.models.pooling import MaxPool2d

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    # In place where the backward pass needs the result only.
    "relu": partial(nn.ReLU, inplace=True),
    "leaky_relu": partial(nn.LeakyReLU, negative_slope=0.01, inplace=True),
    "elu": partial(nn.ELU, inplace=True),
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
NEVER_FALLING = frozenset({"relu", "leaky_relu", "elu", "tanh", "sigmoid"})


@dataclass(frozen=True)
class Pool:
    """A pooling that halves height and width: its layer's class and window."""

    layer: Callable[..., nn.Module]
    kernel: int
    padding: int


POOLS: dict[str, Pool] = {
    "max": Pool(MaxPool2d, kernel=2, padding=0),
    "average": Pool(nn.AvgPool2d, kernel=2, padding=0),
    # One pixel of padding gives the sizes that 2×2 windows give, so that every network can have either.
    "overlapping": Pool(nn.MaxPool2d, kernel=3, padding=1),
}

DEVIATIONS: dict[str, Callable[[float, float], float]] = {
    "kaiming": lambda fan_in, fan_out: math.sqrt(2 / fan_in),
    "glorot": lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),
    "lecun": lambda fan_in, fan_out: math.sqrt(1 / fan_in),
    "normal": lambda fan_in, fan_out: 0.01,
}
"""Standard deviation of the first weights, from a unit's number of inputs and outputs.

He et al., 2015; Glorot and Bengio, 2010; LeCun et al., Efficient BackProp, 1998; Krizhevsky et al., 2012.
"""
UNIFORM = frozenset({"glorot"})
"""Drawn from a uniform distribution, as in Glorot's paper and in Keras; the others are normal."""
UNIT_BIASES = frozenset({"conv2", "conv4", "conv5", "fc1", "fc2"})
"""Layers that start with biases of 1 under `normal`: AlexNet's second, fourth and fifth convolution and its hidden
dense layers (section 5), which gives their ReLUs positive inputs. All other biases start at 0."""


class Resize(nn.Module):
    """Resizes a batch (N, C, H, W) to `size` × `size` pixels, bilinear with antialiasing."""

    kind = "resize"

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-2:] == (self.size, self.size):
            return x
        # The antialiased kernels of CPUs take no bf16.
        resized = F.interpolate(x.float(), size=(self.size, self.size), mode="bilinear", antialias=True)
        return resized.to(x.dtype)

    def extra_repr(self) -> str:
        return f"size={self.size}"


class LocalResponseNorm(nn.Module):
    """Divides each value by (2 + 1e-4 · sum of squares over 5 neighboring channels)^0.75: AlexNet, section 3.3.

    `torch.nn.LocalResponseNorm` is correct too, but pads, unsqueezes and averages in 3-D, in fp32.
    """

    kind = "normalization"

    def __init__(self, channels: int) -> None:
        super().__init__()
        index = torch.arange(channels)
        near = (index[:, None] - index[None, :]).abs() <= 2
        # The sum over neighboring channels as a 1×1 convolution: one fast pass in any memory layout.
        self.register_buffer("neighbors", near.float()[:, :, None, None] * 1e-4, persistent=False)
        self.neighbors: Tensor

    def forward(self, x: Tensor) -> Tensor:
        scale = 2 + F.conv2d(x * x, self.neighbors.to(x.dtype))
        return x * torch.rsqrt(scale * torch.sqrt(scale)).to(x.dtype)


def entry(options: Options) -> dict[str, nn.Module]:
    """What stands before the first layer: the resizing, if there is one."""
    return {} if options.input_size is None else {"resize": Resize(options.input_size)}


def pool_layer(options: Options, *, ceil: bool = False) -> nn.Module:
    """The pooling that halves height and width; with `ceil`, windows may hang over the edge."""
    pool = POOLS[str(options.pool)]
    return pool.layer(pool.kernel, 2, pool.padding, ceil_mode=ceil)


def pooled_size(options: Options, side: int, *, ceil: bool = False) -> int:
    """Pixels along one side that `pool_layer` leaves of `side` pixels."""
    pool = POOLS[str(options.pool)]
    return pool_output_size(side, pool.kernel, 2, pool.padding, ceil=ceil)


def conv_block(
    options: Options,
    in_channels: int,
    filters: int,
    kernel: int | tuple[int, int],
    *,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
    pool: nn.Module | None = None,
    lrn: bool = True,
    activation: Callable[[], nn.Module] | None = None,
    groups: int = 1,
    bias: bool | None = None,
    norm_last: bool = False,
) -> nn.Sequential:
    """A convolution with what follows it; `filters` is final, that is, already scaled by the width.

    Args:
        options: Which activation and normalization.
        in_channels: Channels of the input.
        filters: Channels of the output.
        kernel: Window in pixels, or its height and width.
        stride: Step of the window in pixels.
        padding: Zeros added on each side, or above and below, left and right.
        pool: Pooling at the end of the block.
        lrn: Whether the block is one of those which local response normalization follows, if it is chosen.
        activation: Makes the activation, if not the one of `ACTIVATIONS`.
        groups: Equal parts of the input's channels, each seen by its part of the filters only.
        bias: Whether the convolution has biases; if not given, unless batch normalization follows it at once.
        norm_last: Whether the normalization follows the activation, and the pooling the normalization.
    """
    norm: dict[str, nn.Module] = {}
    if options.norm == "batch":
        norm["norm"] = nn.BatchNorm2d(filters)
    elif lrn and options.norm == "lrn":
        norm["norm"] = LocalResponseNorm(filters)
    norm_first = options.norm == "batch" and not norm_last
    # Batch normalization subtracts the mean and has a bias itself.
    biased = not norm_first if bias is None else bias
    conv = nn.Conv2d(in_channels, filters, kernel, stride, padding, groups=groups, bias=biased)
    after: dict[str, nn.Module] = {"activation": (activation or ACTIVATIONS[options.activation])()}
    pooling: dict[str, nn.Module] = {} if pool is None else {"pool": pool}
    if norm and norm_last:
        return chain({"conv": conv, **after, **norm, **pooling})
    pool_first = isinstance(pool, nn.MaxPool2d) and options.activation in NEVER_FALLING
    after = {**pooling, **after} if pool_first else {**after, **pooling}
    return chain({"conv": conv, **norm, **after} if norm_first else {"conv": conv, **after, **norm})


def dense_block(
    options: Options,
    inputs: int,
    units: int,
    *,
    activation: Callable[[], nn.Module] | None = None,
    dropout_first: bool = False,
) -> nn.Sequential:
    """A hidden dense layer: linear map, activation, dropout of its result or, first, of its input (if there is any)."""
    dropout: dict[str, nn.Module] = {"dropout": nn.Dropout(options.dropout)} if options.dropout else {}
    layers: dict[str, nn.Module] = {
        "linear": nn.Linear(inputs, units),
        "activation": (activation or ACTIVATIONS[options.activation])(),
    }
    return chain({**dropout, **layers} if dropout_first else {**layers, **dropout})


def dense_head(
    options: Options, inputs: int, hidden: tuple[int, ...], num_classes: int, *, dropout_first: bool = False
) -> dict[str, nn.Module]:
    """The hidden dense layers `fc1`, `fc2`, … and the output after them.

    Args:
        options: Which activation, dropout and width.
        inputs: Values of one image at the first of them.
        hidden: Units of each hidden layer before they are scaled by the width.
        num_classes: Units of the output.
        dropout_first: Whether dropout stands before the hidden layers instead of behind them.
    """
    layers: dict[str, nn.Module] = {}
    for number, count in enumerate(hidden, start=1):
        units = options.scaled(count)
        layers[f"fc{number}"] = dense_block(options, inputs, units, dropout_first=dropout_first)
        inputs = units
    return {**layers, "output": nn.Linear(inputs, num_classes)}


def chain(layers: dict[str, nn.Module]) -> nn.Sequential:
    """The layers one after the other, under their names."""
    model = nn.Sequential()
    for name, layer in layers.items():
        model.add_module(name, layer)
    return model


def shrink_to(side: int, height: int, width: int, *, exact: bool = False) -> tuple[dict[str, nn.Module], int]:
    """Averages feature maps of `height` × `width` down to at most `side` × `side`, and flattens them.

    Args:
        side: Positions along a side.
        height: Of the maps.
        width: Of the maps.
        exact: Whether smaller maps become `side` × `side` too, by repeating values, as torchvision does it: the first
            dense layer's weights then fit images of any size.

    Returns:
        The layers, and the values per channel that they leave. Without it the first dense layer would grow with the
        square of the image's size.
    """
    grid = (side, side) if exact else (min(height, side), min(width, side))
    shrink: dict[str, nn.Module] = {} if grid == (height, width) else {"shrink": nn.AdaptiveAvgPool2d(grid)}
    return {**shrink, "flatten": Flatten()}, grid[0] * grid[1]


class PartialConv2d(nn.Module):
    """A convolution whose filters see some input channels only, and have weights for those only.

    Computed as a full convolution with zeros in the gaps.
    """

    kind = "convolution"

    def __init__(self, connected: Tensor, kernel: int) -> None:
        """Makes the layer from `connected`, bool (out_channels, in_channels)."""
        super().__init__()
        self.out_channels, self.in_channels = connected.shape
        self.kernel_size, self.stride, self.padding = (kernel, kernel), (1, 1), (0, 0)
        count = int(connected.sum())
        self.weight = nn.Parameter(torch.empty(count, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(self.out_channels))
        # Row of `weight` for each pair; pairs that are not connected point to a row of zeros behind the last one.
        rows = torch.where(connected, connected.flatten().cumsum(0).view_as(connected) - 1, count)
        self.register_buffer("rows", rows, persistent=False)
        self.rows: Tensor
        bound = 1 / math.sqrt(fans(self)[0])
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, F.pad(self.weight, (0, 0, 0, 0, 0, 1))[self.rows], self.bias)

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, connections={len(self.weight)}"


Weighted = nn.Conv2d | nn.Linear | PartialConv2d
"""The layers whose weights are initialized."""


def fans(layer: Weighted) -> tuple[float, float]:
    """Inputs of an output unit and outputs of an input unit; averages where the layer is partly connected."""
    linear = isinstance(layer, nn.Linear)
    inputs, outputs = (layer.in_features, layer.out_features) if linear else (layer.in_channels, layer.out_channels)
    return layer.weight.numel() / outputs, layer.weight.numel() / inputs


def initialize(model: nn.Module, method: str) -> None:
    """Sets the first weights of all convolutions and dense layers; `pytorch` leaves them as torch made them.

    A layer whose class says `starts_itself` keeps its own.
    """
    if method == "pytorch":
        return
    for name, layer in model.named_modules():
        if not isinstance(layer, Weighted) or getattr(layer, "starts_itself", False):
            continue
        deviation = DEVIATIONS[method](*fans(layer))
        if method in UNIFORM:
            nn.init.uniform_(layer.weight, -math.sqrt(3) * deviation, math.sqrt(3) * deviation)
        else:
            nn.init.normal_(layer.weight, 0, deviation)
        if layer.bias is not None:
            unit = method == "normal" and not UNIT_BIASES.isdisjoint(name.split("."))
            nn.init.constant_(layer.bias, 1.0 if unit else 0.0)

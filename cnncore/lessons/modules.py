"""Inception modules and factorized convolutions with editable widths: channels, parameters and multiply-accumulates.

Szegedy et al.: Going deeper with convolutions, 2015, Figure 2 (naive, and with dimension reductions) and Table 1; for
the factorizations: Rethinking the Inception architecture, 2016, sections 3.1 and 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cnncore.arithmetic import conv_params, receptive_field
from cnncore.errors import ConfigError

Kind = Literal["naive", "reduced"]
MOST_FILTERS = 2_048


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """A convolution that keeps height and width.

    Attributes:
        name: What it is called.
        inputs: Channels it takes.
        filters: Channels it leaves.
        kernel: Height and width of its window.
    """

    name: str
    inputs: int
    filters: int
    kernel: tuple[int, int]

    @property
    def weights(self) -> int:
        """Trainable numbers without biases."""
        height, width = self.kernel
        # `conv_params` is for square windows; a 1 × n one has n of the weights of a 1 × 1 one.
        return conv_params(self.inputs, self.filters, 1, bias=False) * height * width

    @property
    def params(self) -> int:
        """Trainable numbers, biases included."""
        return self.weights + self.filters

    def macs(self, side: int) -> int:
        """Multiply-accumulates on maps of `side` × `side`."""
        return self.weights * side * side


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One way through a module, its convolutions one after the other; none where the pooled maps are handed on."""

    convolutions: tuple[Convolution, ...]
    channels: int

    @property
    def field(self) -> tuple[int, int]:
        """Height and width in pixels of what one output sees, poolings left out."""
        kernels = [each.kernel for each in self.convolutions]
        rows, columns = (receptive_field((kernel[axis], 1) for kernel in kernels) for axis in (0, 1))
        return rows.size, columns.size


@dataclass(frozen=True, kw_only=True)
class Module:
    """Branches side by side, whose maps are stacked."""

    branches: tuple[Branch, ...]

    @property
    def channels(self) -> int:
        """Channels that it leaves."""
        return sum(branch.channels for branch in self.branches)

    @property
    def weights(self) -> int:
        """Trainable numbers without biases."""
        return sum(each.weights for branch in self.branches for each in branch.convolutions)

    @property
    def params(self) -> int:
        """Trainable numbers, biases included."""
        return sum(each.params for branch in self.branches for each in branch.convolutions)

    def macs(self, side: int) -> int:
        """Multiply-accumulates on maps of `side` × `side`."""
        return sum(each.macs(side) for branch in self.branches for each in branch.convolutions)


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Filters of an Inception module, named as in Table 1; the defaults are those of inception (3a)."""

    ones: int = 64
    reduce3: int = 96
    threes: int = 128
    reduce5: int = 16
    fives: int = 32
    pool: int = 32


@dataclass(frozen=True, kw_only=True)
class Place:
    """An Inception module in GoogLeNet.

    Attributes:
        inputs: Channels it takes.
        side: Pixels along a side of its maps.
        widths: Its filters.
    """

    inputs: int
    side: int
    widths: Widths


def _row(inputs: int, side: int, *filters: int) -> Place:
    return Place(inputs=inputs, side=side, widths=Widths(**dict(zip(_COLUMNS, filters, strict=True))))


_COLUMNS = ("ones", "reduce3", "threes", "reduce5", "fives", "pool")
GOOGLENET = {
    "3a": _row(192, 28, 64, 96, 128, 16, 32, 32),
    "3b": _row(256, 28, 128, 128, 192, 32, 96, 64),
    "4a": _row(480, 14, 192, 96, 208, 16, 48, 64),
    "4b": _row(512, 14, 160, 112, 224, 24, 64, 64),
    "4c": _row(512, 14, 128, 128, 256, 24, 64, 64),
    "4d": _row(512, 14, 112, 144, 288, 32, 64, 64),
    "4e": _row(528, 14, 256, 160, 320, 32, 128, 128),
    "5a": _row(832, 7, 256, 160, 320, 32, 128, 128),
    "5b": _row(832, 7, 384, 192, 384, 48, 128, 128),
}
"""The nine modules of Table 1; tests compare them with the network that the lab trains."""


def build_module(kind: Kind, inputs: int, widths: Widths) -> Module:
    """A module of either kind (Figure 2).

    `reduced` has 1 × 1 convolutions before the large ones and after the pooling; `naive` goes without, and hands the
    pooled maps on whole.

    Raises:
        ConfigError: if a number of channels is impossible.
    """
    _check(inputs, *vars(widths).values())
    return _BUILDERS[kind](inputs, widths)


def chained(kind: Kind, inputs: int, widths: Widths, count: int) -> tuple[Module, ...]:
    """Modules of the same widths one after the other.

    Raises:
        ConfigError: if a number of channels is impossible.
    """
    found = [build_module(kind, inputs, widths)]
    while len(found) < count:
        # The channels that naive modules pile up may be more than one can choose.
        found.append(_BUILDERS[kind](found[-1].channels, widths))
    return tuple(found)


def _reduced(inputs: int, widths: Widths) -> Module:
    return Module(
        branches=(
            _branch(inputs, ("1 × 1", widths.ones, 1)),
            _branch(inputs, ("1 × 1 before 3 × 3", widths.reduce3, 1), ("3 × 3", widths.threes, 3)),
            _branch(inputs, ("1 × 1 before 5 × 5", widths.reduce5, 1), ("5 × 5", widths.fives, 5)),
            _branch(inputs, ("1 × 1 after pooling", widths.pool, 1)),
        )
    )


def _naive(inputs: int, widths: Widths) -> Module:
    return Module(
        branches=(
            _branch(inputs, ("1 × 1", widths.ones, 1)),
            _branch(inputs, ("3 × 3", widths.threes, 3)),
            _branch(inputs, ("5 × 5", widths.fives, 5)),
            Branch(convolutions=(), channels=inputs),
        )
    )


_BUILDERS = {"reduced": _reduced, "naive": _naive}


def factorized(channels: int, kernel: int) -> dict[str, Module]:
    """One n × n convolution, and what sees as much with fewer numbers, all from and to the same number of channels.

    Returns:
        `whole`; `stacked`, as many 3 × 3 as see as much, which for 3 × 3 is the whole itself; `split`, 1 × n and n × 1.

    Raises:
        ConfigError: if the kernel is not odd and at least 3.
    """
    _check(channels)
    if kernel < 3 or kernel % 2 == 0:
        raise ConfigError("kernel", f"The kernel is {kernel}; odd numbers from 3 on can be factorized.")
    steps = {
        "whole": [(kernel, kernel)],
        "stacked": [(3, 3)] * ((kernel - 1) // 2),
        "split": [(1, kernel), (kernel, 1)],
    }
    return {name: Module(branches=(_equal(channels, shapes),)) for name, shapes in steps.items()}


def _equal(channels: int, shapes: list[tuple[int, int]]) -> Branch:
    """Convolutions that keep the number of channels."""
    convolutions = (
        Convolution(name=f"{height} × {width}", inputs=channels, filters=channels, kernel=(height, width))
        for height, width in shapes
    )
    return Branch(convolutions=tuple(convolutions), channels=channels)


def _branch(inputs: int, *steps: tuple[str, int, int]) -> Branch:
    convolutions: list[Convolution] = []
    for name, filters, kernel in steps:
        convolutions.append(Convolution(name=name, inputs=inputs, filters=filters, kernel=(kernel, kernel)))
        inputs = filters
    return Branch(convolutions=tuple(convolutions), channels=inputs)


def _check(*numbers: int) -> None:
    for number in numbers:
        if not 1 <= number <= MOST_FILTERS:
            raise ConfigError("filters", f"There cannot be {number} channels.", f"Allowed: 1 to {MOST_FILTERS:,}.")

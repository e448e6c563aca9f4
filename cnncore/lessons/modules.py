"""Inception modules and factorized convolutions with editable widths: channels, parameters and multiply-accumulates.

Szegedy et al.: Going deeper with convolutions, 2015, Figure 2 (naive, and with dimension reductions) and Table 1; for
the factorizations: Rethinking the Inception architecture, 2016, sections 3.1 and 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from cnncore.arithmetic import conv_params
from cnncore.errors import ConfigError

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
    def params(self) -> int:
        """Trainable numbers, biases included."""
        height, width = self.kernel
        # `conv_params` is for square windows; a 1 × n one has n of the weights of a 1 × 1 one.
        return conv_params(self.inputs, self.filters, 1, bias=False) * height * width + self.filters

    def macs(self, side: int) -> int:
        """Multiply-accumulates on maps of `side` × `side`."""
        return (self.params - self.filters) * side * side


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One way through a module, its convolutions one after the other; none where the pooled maps are handed on."""

    convolutions: tuple[Convolution, ...]
    channels: int


@dataclass(frozen=True, kw_only=True)
class Module:
    """Branches side by side, whose maps are stacked."""

    branches: tuple[Branch, ...]

    @property
    def channels(self) -> int:
        """Channels that it leaves."""
        return sum(branch.channels for branch in self.branches)

    @property
    def params(self) -> int:
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


def reduced(inputs: int, widths: Widths) -> Module:
    """The module with 1 × 1 convolutions before the large ones and after the pooling.

    Raises:
        ConfigError: if a number of channels is impossible.
    """
    _check(inputs, *vars(widths).values())
    return Module(
        branches=(
            _branch(inputs, ("1 × 1", widths.ones, 1)),
            _branch(inputs, ("1 × 1 before 3 × 3", widths.reduce3, 1), ("3 × 3", widths.threes, 3)),
            _branch(inputs, ("1 × 1 before 5 × 5", widths.reduce5, 1), ("5 × 5", widths.fives, 5)),
            _branch(inputs, ("1 × 1 after pooling", widths.pool, 1)),
        )
    )


def naive(inputs: int, widths: Widths) -> Module:
    """The same without the 1 × 1 reductions: the pooled maps are handed on whole.

    Raises:
        ConfigError: if a number of channels is impossible.
    """
    _check(inputs, widths.ones, widths.threes, widths.fives)
    return Module(
        branches=(
            _branch(inputs, ("1 × 1", widths.ones, 1)),
            _branch(inputs, ("3 × 3", widths.threes, 3)),
            _branch(inputs, ("5 × 5", widths.fives, 5)),
            Branch(convolutions=(), channels=inputs),
        )
    )


def factorized(channels: int, kernel: int) -> dict[str, Module]:
    """One n × n convolution, and what sees as much with fewer numbers, all from and to the same number of channels.

    Raises:
        ConfigError: if the kernel is not odd and at least 3.
    """
    _check(channels)
    if kernel < 3 or kernel % 2 == 0:
        raise ConfigError("kernel", f"The kernel is {kernel}; odd numbers from 3 on can be factorized.")
    return {
        f"{kernel} × {kernel}": Module(branches=(_branch(channels, (f"{kernel} × {kernel}", channels, kernel)),)),
        f"{(kernel - 1) // 2} of 3 × 3": Module(
            branches=(_branch(channels, *[("3 × 3", channels, 3)] * ((kernel - 1) // 2)),)
        ),
        f"1 × {kernel} and {kernel} × 1": Module(
            branches=(
                Branch(
                    convolutions=(
                        Convolution(name=f"1 × {kernel}", inputs=channels, filters=channels, kernel=(1, kernel)),
                        Convolution(name=f"{kernel} × 1", inputs=channels, filters=channels, kernel=(kernel, 1)),
                    ),
                    channels=channels,
                ),
            )
        ),
    }


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

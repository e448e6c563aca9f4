"""Sizes, parameters, multiply-accumulates and receptive fields of layers, by the formulas students do by hand.

One multiply-accumulate (MAC) is one multiplication and the addition that goes with it: FLOPs = 2 × MACs. Biases,
activations and pooling count no MACs, as in the papers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cnncore.errors import ConfigError


def conv_output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Pixels along one side of a convolution's output for `size` pixels at its input.

    Raises:
        ConfigError: if the kernel does not fit into the padded input, or a number is out of range.
    """
    _check_window(size, kernel, stride, padding, dilation)
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def pool_output_size(size: int, kernel: int, stride: int, padding: int = 0, *, ceil: bool = False) -> int:
    """Pixels along one side of a pooling's output; with `ceil`, a window that hangs over the edge counts as well.

    Raises:
        ConfigError: if the window does not fit into the padded input, or a number is out of range.
    """
    if not ceil:
        return conv_output_size(size, kernel, stride, padding)
    _check_window(size, 1, stride, padding, 1)
    windows = -(-max(size + 2 * padding - kernel, 0) // stride) + 1
    # A window must start inside the input or its left padding, as torch has it.
    return windows - 1 if (windows - 1) * stride >= size + padding else windows


def _check_window(size: int, kernel: int, stride: int, padding: int, dilation: int) -> None:
    for name, value, least in (
        ("size", size, 1), ("kernel", kernel, 1), ("stride", stride, 1), ("padding", padding, 0),
        ("dilation", dilation, 1),
    ):  # fmt: skip
        if value < least:
            raise ConfigError(name, f"The {name} is {value}; at least {least} is needed.")
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ConfigError(
            "kernel",
            f"A window of {extent} pixels does not fit into {size} pixels with {padding} of padding on each side.",
            "Take a smaller kernel, more padding or larger images.",
        )


def conv_params(in_channels: int, filters: int, kernel: int, *, groups: int = 1, bias: bool = True) -> int:
    """Trainable numbers of a convolution: one `kernel` × `kernel` window per input channel and filter, plus biases."""
    return filters * (in_channels // groups) * kernel * kernel + (filters if bias else 0)


def dense_params(inputs: int, outputs: int, *, bias: bool = True) -> int:
    """Trainable numbers of a dense layer."""
    return outputs * inputs + (outputs if bias else 0)


def conv_macs(in_channels: int, filters: int, kernel: int, out_height: int, out_width: int, *, groups: int = 1) -> int:
    """Multiply-accumulates of a convolution for one image."""
    return conv_params(in_channels, filters, kernel, groups=groups, bias=False) * out_height * out_width


def dense_macs(inputs: int, outputs: int) -> int:
    """Multiply-accumulates of a dense layer for one image."""
    return inputs * outputs


@dataclass(frozen=True)
class ReceptiveField:
    """What the outputs of a layer see of the image along one side, in pixels.

    Attributes:
        size: Pixels that one output sees, padding included.
        jump: Pixels between what neighboring outputs see: the effective stride.
        start: Middle of what the first output sees; the image begins at 0, so its first pixel has its middle at 0.5.
    """

    size: int = 1
    jump: int = 1
    start: float = 0.5

    def through(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> ReceptiveField:
        """The receptive field after one more layer with this window."""
        reach = dilation * (kernel - 1)
        return ReceptiveField(
            self.size + reach * self.jump, self.jump * stride, self.start + (reach / 2 - padding) * self.jump
        )

    def joined(self, other: ReceptiveField) -> ReceptiveField:
        """The receptive field of outputs that see what either of two sees: a sum or a stack of branches."""
        low = min(field.start - field.size / 2 for field in (self, other))
        high = max(field.start + field.size / 2 for field in (self, other))
        return ReceptiveField(round(high - low), max(self.jump, other.jump), (low + high) / 2)


def receptive_field(windows: Iterable[tuple[int, ...]]) -> ReceptiveField:
    """The receptive field after layers given as (kernel, stride) or (kernel, stride, padding), input side first."""
    field = ReceptiveField()
    for window in windows:
        field = field.through(*window)
    return field

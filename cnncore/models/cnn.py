"""Plain small convolutional networks of tutorials."""

from __future__ import annotations

from torch import nn

from cnncore.arithmetic import conv_output_size
from cnncore.models.blocks import chain, conv_block, dense_head, entry, pool_layer, pooled_size, shrink_to
from cnncore.models.options import Options

Rows = tuple[tuple[int, bool], ...]
"""Filters of each 5×5 convolution, and whether a pooling follows."""

CNN3: Rows = ((16, False), (32, True), (64, True))
LARGEST_GRID = 13
"""Side of the largest feature maps that are flattened as they are: what LeNet leaves of 64 pixels."""


def cnn3(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The three-layer CNN: 16, 32 and 64 filters, 100 hidden units; 123,222 parameters at 28×28×1."""
    return plain_network(options, in_shape, num_classes, CNN3, hidden=100)


def plain_network(
    options: Options, in_shape: tuple[int, int, int], num_classes: int, rows: Rows, *, hidden: int
) -> nn.Module:
    """5×5 convolutions without padding, then one hidden dense layer, then the output."""
    channels, *size = in_shape
    layers = entry(options)
    for number, (count, pooled) in enumerate(rows, start=1):
        filters = options.scaled(count)
        layers[f"conv{number}"] = conv_block(
            options, channels, filters, 5, pool=pool_layer(options) if pooled else None
        )
        size = [conv_output_size(side, 5) for side in size]
        size = [pooled_size(options, side) for side in size] if pooled else size
        channels = filters
    shrink, positions = shrink_to(LARGEST_GRID, *size)
    return chain({**layers, **shrink, **dense_head(options, channels * positions, (hidden,), num_classes)})

"""VGG for small images.

Source: Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition, 2014, Table 1.
Kept: all convolutions and poolings of column A. Our deviations: 512 instead of 4,096 hidden units; windows that hang
over the edge are pooled too, so that 28 pixels survive five poolings. With local response normalization it stands
after the first convolution only, as in column A-LRN.
"""

from __future__ import annotations

from torch import nn

from cnncore.models.blocks import chain, conv_block, dense_block, entry, pool_layer, pooled_size, shrink_to
from cnncore.models.options import Options

COLUMN_A = ((64, 1), (128, 1), (256, 2), (512, 2), (512, 2))
"""Filters and number of 3×3 convolutions of each stage."""
HIDDEN = 512
LARGEST_GRID = 2
"""Side of the feature maps at 64 pixels; larger ones are averaged down to it."""


def vgg11_small(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """VGG-11 for 28 to 64 pixels: 9,750,922 parameters at 32×32×3 with 10 classes."""
    channels, *size = in_shape
    layers = entry(options)
    for number, (count, depth) in enumerate(COLUMN_A, start=1):
        filters = options.scaled(count)
        stage: dict[str, nn.Module] = {}
        for index in range(1, depth + 1):
            pool = pool_layer(options, ceil=True) if index == depth else None
            stage[f"conv{index}"] = conv_block(
                options, channels, filters, 3, padding=1, pool=pool, lrn=number == index == 1
            )
            channels = filters
        layers[f"stage{number}"] = chain(stage)
        size = [pooled_size(options, side, ceil=True) for side in size]
    shrink, positions = shrink_to(LARGEST_GRID, *size)
    units = options.scaled(HIDDEN)
    return chain(
        {
            **layers,
            **shrink,
            "fc1": dense_block(options, channels * positions, units),
            "fc2": dense_block(options, units, units),
            "output": nn.Linear(units, num_classes),
        }
    )

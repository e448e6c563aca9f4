"""AlexNet for small images.

Source: Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional networks, 2012, section 3.5.
Kept: five convolutions, pooling after the first, second and fifth, local response normalization after the first two,
dropout in both hidden dense layers. Our deviations: the filters of one of its two towers (48, 128, 192, 192, 128;
width 2 has those of both), 5×5 instead of 11×11 windows in the first layer with a stride that follows the image's
size (1 below 64 pixels, 4 from 128), pooling before normalization, 1,024 instead of 4,096 hidden units.
"""

from __future__ import annotations

from torch import nn

from cnncore.arithmetic import conv_output_size
from cnncore.models.blocks import chain, conv_block, dense_block, entry, pool_layer, pooled_size, shrink_to
from cnncore.models.options import Options

CONVOLUTIONS = (
    # filters, window, LRN, pooling
    (48, 5, True, True),
    (128, 5, True, True),
    (192, 3, False, False),
    (192, 3, False, False),
    (128, 3, False, True),
)
HIDDEN = 1_024
LARGEST_GRID = 4
"""Side of the feature maps at 32 pixels; larger ones are averaged down to it."""


def alexnet_small(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """AlexNet for 28 to 64 pixels: 4,090,058 parameters at 32×32×3 with 10 classes."""
    channels, *size = in_shape
    stride = max(1, min(4, min(size) // 32))
    layers = entry(options)
    for number, (count, window, lrn, pooled) in enumerate(CONVOLUTIONS, start=1):
        filters, padding = options.scaled(count), window // 2
        pool = pool_layer(options) if pooled else None
        layers[f"conv{number}"] = conv_block(
            options, channels, filters, window, stride=stride, padding=padding, pool=pool, lrn=lrn
        )
        size = [conv_output_size(side, window, stride, padding) for side in size]
        size = [pooled_size(options, side) for side in size] if pooled else size
        channels, stride = filters, 1
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

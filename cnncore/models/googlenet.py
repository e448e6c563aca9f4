"""GoogLeNet for small images, from Table 1 of the paper.

Source: Szegedy et al.: Going deeper with convolutions, 2014, sections 4 and 5.
Kept: the 1×1 and 3×3 convolution before the second pooling, all nine Inception modules with real 5×5 branches, both
auxiliary heads with their own dense layer. Our deviations: the first convolution is 3×3 instead of 7×7, with stride 1
below 64 pixels; batch normalization after every convolution unless the option says otherwise (with `lrn`, local
response normalization stands where the paper has it); the auxiliary heads average to 4×4 positions, which are the
paper's, at any size of image.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from cnncore.models.blocks import ACTIVATIONS, LocalResponseNorm, Resize, chain, conv_block
from cnncore.models.options import Options

INCEPTION = {
    # 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLED_AFTER = ("3b", "4e")
AUXILIARY_HEADS = ("4a", "4d")
AUXILIARY_FILTERS, AUXILIARY_UNITS, AUXILIARY_DROPOUT = 128, 1_024, 0.7
WINDOWS = {"max": nn.MaxPool2d, "average": partial(nn.AvgPool2d, count_include_pad=False)}


class Inception(nn.Module):
    """Four branches side by side (Figure 2b), whose maps are stacked."""

    def __init__(self, options: Options, in_channels: int, row: tuple[int, ...]) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, projection = (options.scaled(count) for count in row)
        block = partial(conv_block, options, lrn=False)
        self.branch1 = block(in_channels, one, 1)
        self.branch3 = chain({"reduce": block(in_channels, reduce3, 1), "conv": block(reduce3, three, 3, padding=1)})
        self.branch5 = chain({"reduce": block(in_channels, reduce5, 1), "conv": block(reduce5, five, 5, padding=2)})
        self.branch_pool = chain({"pool": _pool(options, stride=1), "projection": block(in_channels, projection, 1)})
        self.out_channels = one + three + five + projection

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch3(x), self.branch5(x), self.branch_pool(x)], dim=1)


class GoogLeNet(nn.Module):
    """The stem, nine Inception modules, the classifier and two auxiliary heads that work while training only."""

    def __init__(self, options: Options, in_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        self.resize = Resize(options.input_size) if options.input_size else nn.Identity()
        self.stem, channels = _stem(options, in_shape)
        for name, row in INCEPTION.items():
            module = Inception(options, channels, row)
            self.add_module(f"inception{name}", module)
            channels = module.out_channels
            if name in POOLED_AFTER:
                self.add_module(f"pool{name}", _pool(options, stride=2))
            if name in AUXILIARY_HEADS:
                self.add_module(f"aux{name}", _auxiliary_head(options, channels, num_classes))
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(options.dropout or 0.0)
        self.output = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.stem(self.resize(x))
        auxiliary: list[Tensor] = []
        for name in INCEPTION:
            x = self.get_submodule(f"inception{name}")(x)
            if self.training and name in AUXILIARY_HEADS:
                auxiliary.append(self.get_submodule(f"aux{name}")(x))
            if name in POOLED_AFTER:
                x = self.get_submodule(f"pool{name}")(x)
        logits = self.output(self.dropout(self.flatten(self.average(x))))
        return (logits, *auxiliary) if self.training else logits


def googlenet_small(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """GoogLeNet for 28 to 64 pixels: 10,333,886 parameters at 32×32×3 with 10 classes, auxiliary heads included."""
    return GoogLeNet(options, in_shape, num_classes)


def _pool(options: Options, *, stride: int) -> nn.Module:
    assert options.pool is not None
    return WINDOWS[options.pool](3, stride, padding=1)


def _stem(options: Options, in_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
    """All before module 3a, which leaves a quarter of the height and width, and its number of channels."""
    channels, height, width = in_shape
    first, last = options.scaled(64), options.scaled(192)
    lrn = options.norm == "lrn"
    block = partial(conv_block, options, lrn=False)
    layers = {
        "conv1": block(
            channels, first, 3, stride=2 if min(height, width) >= 64 else 1, padding=1, pool=_pool(options, stride=2)
        ),
        **({"norm1": LocalResponseNorm(first)} if lrn else {}),
        "reduce": block(first, first, 1),
        "conv2": block(first, last, 3, padding=1),
        **({"norm2": LocalResponseNorm(last)} if lrn else {}),
        "pool2": _pool(options, stride=2),
    }
    return chain(layers), last


def _auxiliary_head(options: Options, in_channels: int, num_classes: int) -> nn.Module:
    filters, units = options.scaled(AUXILIARY_FILTERS), options.scaled(AUXILIARY_UNITS)
    return chain(
        {
            "shrink": nn.AdaptiveAvgPool2d(4),
            "conv": conv_block(options, in_channels, filters, 1, lrn=False),
            "flatten": nn.Flatten(),
            "fc1": nn.Linear(filters * 16, units),
            "activation": ACTIVATIONS[options.activation](),
            "dropout": nn.Dropout(AUXILIARY_DROPOUT),
            "output": nn.Linear(units, num_classes),
        }
    )

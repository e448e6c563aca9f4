"""VGG: the columns of its paper, with and without batch normalization, and a column A for small images.

Source: Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition, 2014, Table 1; the
columns with 5×5 windows from section 4.1, where each pair of 3×3 convolutions of column B becomes one 5×5.
The convolutions in front of batch normalization, which is torchvision's addition, keep their biases as there. Local
response normalization (column A-LRN) stands after the first convolution, before the pooling; `vgg11_lrn_bn`, which is
ours, has batch normalization in front of the activations besides.
Our deviations: maps of another size than 7×7 are averaged to it before the dense layers, as torchvision does it.

Small images (`stem="small"`): 512 instead of 4,096 hidden units; windows that hang over the edge are pooled too, so
that 28 pixels survive five poolings; no biases in front of batch normalization. `vgg11_small` has this form always, and
pools before it normalizes by local response, which is quicker.
"""

from __future__ import annotations

from torch import nn

from cnncore.catalog import MODELS
from cnncore.models.blocks import (
    LocalResponseNorm,
    chain,
    conv_block,
    dense_head,
    entry,
    pool_layer,
    pooled_size,
    shrink_to,
)
from cnncore.models.options import Options

FILTERS = (64, 128, 256, 512, 512)
"""Filters of each convolution, by stage; a pooling ends each stage."""

A = ((3,), (3,), (3, 3), (3, 3), (3, 3))
B = ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3))
B_5X5 = ((5,), (5,), (5,), (5,), (5,))
C = ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1))
D = ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3))
E = ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3))
COLUMNS = {
    # Windows of each convolution, by stage.
    "vgg11": A,
    "vgg11_bn": A,
    "vgg11_lrn": A,
    "vgg11_lrn_bn": A,
    "vgg11_small": A,
    "vgg13": B,
    "vgg13_bn": B,
    "vgg13_5x5": B_5X5,
    "vgg13_5x5_bn": B_5X5,
    "vgg16_1x1": C,
    "vgg16_1x1_bn": C,
    "vgg16": D,
    "vgg16_bn": D,
    "vgg19": E,
    "vgg19_bn": E,
}
SMALL_ONLY = "vgg11_small"
BOTH_NORMS = "vgg11_lrn_bn"
HIDDEN, GRID = (4_096, 4_096), 7
SMALL_HIDDEN, SMALL_GRID = (512, 512), 2
"""Hidden units, and side of the feature maps before them: at 224 pixels, and at 64 with the form for small images."""


def vgg(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The VGG of `options.name`; column D has 138,357,544 parameters at 224×224×3 with 1,000 classes."""
    small = options.stem == "small" or options.name == SMALL_ONLY
    norm_last = options.norm == "lrn" and options.name != SMALL_ONLY
    channels, *size = in_shape
    layers = entry(options)
    for number, (count, windows) in enumerate(zip(FILTERS, COLUMNS[options.name], strict=True), start=1):
        stage: dict[str, nn.Module] = {}
        for index, window in enumerate(windows, start=1):
            stage[f"conv{index}"] = conv_block(
                options,
                channels,
                options.scaled(count),
                window,
                padding=window // 2,
                pool=pool_layer(options, ceil=small) if index == len(windows) else None,
                lrn=number == index == 1,
                bias=None if small else True,
                norm_last=norm_last,
            )
            channels = options.scaled(count)
        if number == 1 and options.name == BOTH_NORMS:
            stage["conv1"] = _with_lrn(stage["conv1"], channels)
        layers[f"stage{number}"] = chain(stage)
        size = [pooled_size(options, side, ceil=small) for side in size]
    shrink, positions = shrink_to(SMALL_GRID, *size) if small else shrink_to(GRID, *size, exact=True)
    head = dense_head(options, channels * positions, SMALL_HIDDEN if small else HIDDEN, num_classes)
    return chain({**layers, **shrink, **head})


def _with_lrn(block: nn.Module, channels: int) -> nn.Module:
    """The block with local response normalization between its activation and its pooling."""
    layers = dict(block.named_children())
    pool = layers.pop("pool")
    return chain({**layers, "lrn": LocalResponseNorm(channels), "pool": pool})


def torchvision_layers(key: str) -> dict[str, str]:
    """Our layers and torchvision's, which it counts through: convolution, batch normalization, activation, pooling."""
    batch_norm = MODELS[key].defaults["norm"] == "batch"
    layers: dict[str, str] = {}
    index = 0
    for number, windows in enumerate(COLUMNS[key], start=1):
        for position in range(1, len(windows) + 1):
            block = f"stage{number}.conv{position}"
            layers[f"{block}.conv"] = f"features.{index}"
            if batch_norm:
                layers[f"{block}.norm"] = f"features.{index + 1}"
            index += 3 if batch_norm else 2
        index += 1
    return {**layers, "fc1.linear": "classifier.0", "fc2.linear": "classifier.3", "output": "classifier.6"}

"""AlexNet: the two towers of 2012, the versions that go by its name since, and one for small images.

Source: Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional networks, 2012, section 3.5.
`alexnet_grouped` is that network: two towers, which are two groups of channels in the second, fourth and fifth
convolution; local response normalization between activation and pooling; 227 pixels, as 224, which the paper says,
do not give its 55×55 maps. `alexnet_ungrouped` has every filter see all channels. `alexnet` is torchvision's, after
Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014. `alexnet_bn` and `alexnet_bn_227`
are those of Keras tutorials: batch normalization after each convolution's activation, at 224 and at 227 pixels.
Our deviations: maps of another size than the published one are averaged to it before the dense layers, as torchvision
does it.

Small images (`stem="small"`): 5×5 instead of 11×11 windows in the first layer, with a stride that follows the image's
size (1 below 64 pixels, 4 from 128), poolings padded by a pixel, 1,024 instead of 4,096 hidden units. `alexnet_small`
has this form always, the filters of one tower (48, 128, 192, 192, 128; width 2 has those of both), and pools before it
normalizes, which is quicker.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from cnncore.arithmetic import conv_output_size, pool_output_size
from cnncore.models.blocks import chain, conv_block, dense_head, entry, pool_layer, pooled_size, shrink_to
from cnncore.models.options import Options


@dataclass(frozen=True, kw_only=True)
class Form:
    """What tells one AlexNet from the other.

    Attributes:
        filters: Filters of the five convolutions, those of both towers together.
        towers: Groups of the second, fourth and fifth convolution.
        padding: Pixels of zeros around the image at the first convolution.
        grid: Side of the maps before the dense layers, at the native size.
        small: Whether there is the form for small images only.
        norm_last: Whether normalization stands between activation and pooling.
        dropout_first: Whether dropout stands before the hidden dense layers instead of behind them.
    """

    filters: tuple[int, int, int, int, int]
    towers: int = 1
    padding: int = 0
    grid: int = 6
    small: bool = False
    norm_last: bool = True
    dropout_first: bool = False


UNGROUPED = Form(filters=(96, 256, 384, 384, 256))
FORMS = {
    "alexnet_grouped": replace(UNGROUPED, towers=2),
    "alexnet_ungrouped": UNGROUPED,
    "alexnet": Form(filters=(64, 192, 384, 256, 256), padding=2, dropout_first=True),
    "alexnet_bn": replace(UNGROUPED, grid=5),
    "alexnet_bn_227": UNGROUPED,
    "alexnet_small": Form(filters=(48, 128, 192, 192, 128), small=True, norm_last=False),
}
GROUPED_LAYERS = frozenset({2, 4, 5})
POOLED_AFTER = frozenset({1, 2, 5})
LRN_AFTER = frozenset({1, 2})
HIDDEN = (4_096, 4_096)
SMALL_HIDDEN = (1_024, 1_024)
SMALL_GRID = 4
"""Side of the feature maps at 32 pixels; larger ones are averaged down to it."""


def alexnet(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The AlexNet of `options.name`; the original has 60,965,224 parameters, the small one 4,090,058 at 32×32×3."""
    form = FORMS[options.name]
    small = form.small or options.stem == "small"
    channels, *size = in_shape
    first = (5, max(1, min(4, min(size) // 32)), 2) if small else (11, 4, form.padding)
    windows = (first, (5, 1, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1))
    layers = entry(options)
    for number, (count, (kernel, stride, padding)) in enumerate(zip(form.filters, windows, strict=True), start=1):
        # Each tower is scaled by itself, so that the groups stay equal at any width.
        filters = form.towers * options.scaled(count // form.towers)
        layers[f"conv{number}"] = conv_block(
            options,
            channels,
            filters,
            kernel,
            stride=stride,
            padding=padding,
            pool=_pool(options, small=small) if number in POOLED_AFTER else None,
            lrn=number in LRN_AFTER,
            groups=form.towers if number in GROUPED_LAYERS else 1,
            norm_last=form.norm_last,
        )
        size = [conv_output_size(side, kernel, stride, padding) for side in size]
        size = [_pooled(options, side, small=small) for side in size] if number in POOLED_AFTER else size
        channels = filters
    shrink, positions = shrink_to(SMALL_GRID, *size) if small else shrink_to(form.grid, *size, exact=True)
    hidden = SMALL_HIDDEN if small else HIDDEN
    head = dense_head(options, channels * positions, hidden, num_classes, dropout_first=form.dropout_first)
    return chain({**layers, **shrink, **head})


def torchvision_layers(key: str) -> dict[str, str]:
    """Our layers and torchvision's; there is one such AlexNet."""
    del key
    convolutions = {f"conv{number}.conv": f"features.{index}" for number, index in enumerate((0, 3, 6, 8, 10), start=1)}
    return {**convolutions, "fc1.linear": "classifier.1", "fc2.linear": "classifier.4", "output": "classifier.6"}


def _pool(options: Options, *, small: bool) -> nn.Module:
    """The published windows overlap without padding: 55 → 27 → 13 → 6."""
    return nn.MaxPool2d(3, 2) if options.pool == "overlapping" and not small else pool_layer(options)


def _pooled(options: Options, side: int, *, small: bool) -> int:
    return pool_output_size(side, 3, 2) if options.pool == "overlapping" and not small else pooled_size(options, side)

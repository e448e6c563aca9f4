"""Network in Network, the form for CIFAR-10.

Source: Lin, Chen, Yan: Network in network, 2013, section 4.2; filters, windows and poolings, which the paper leaves
open, from the authors' published configuration for CIFAR-10: three mlpconv layers, each a convolution and two 1×1
convolutions with ReLU (a small dense network that slides over the image), then the average over all positions of one
map a class.
Our deviations: Kaiming initialization, where the authors drew normal weights of fixed deviations; no ReLU after the
last maps, where they have one: a class whose map starts below 0 everywhere gets no gradient and is never predicted
(with ReLU, sixteen random images often kept one to three such classes, whose loss stayed at ln 10).
"""

from __future__ import annotations

from torch import nn

from cnncore.models.blocks import chain, conv_block, entry, pool_layer
from cnncore.models.layout import AdaptiveAvgPool2d, Flatten
from cnncore.models.options import Options

MLPCONV = (
    # window of the convolution, filters of it and of both 1×1 convolutions; the last one has a filter a class
    (5, (192, 160, 96)),
    (5, (192, 192, 192)),
    (3, (192, 192)),
)


def nin(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """Network in Network: 966,986 parameters at 32×32×3 with 10 classes."""
    channels = in_shape[0]
    layers = entry(options)
    for number, (window, counts) in enumerate(MLPCONV, start=1):
        last = number == len(MLPCONV)
        filters = [options.scaled(count) for count in counts] + ([num_classes] if last else [])
        mlpconv: dict[str, nn.Module] = {}
        for index, count in enumerate(filters, start=1):
            kernel = window if index == 1 else 1
            ends = index == len(filters)
            mlpconv[f"conv{index}"] = conv_block(
                options,
                channels,
                count,
                kernel,
                padding=kernel // 2,
                pool=_pool(options, number) if ends and not last else None,
                activation=nn.Identity if ends and last else None,
            )
            channels = count
        if options.dropout and not last:
            mlpconv["dropout"] = nn.Dropout(options.dropout)
        layers[f"mlpconv{number}"] = chain(mlpconv)
    return chain({**layers, "average": AdaptiveAvgPool2d(1), "flatten": Flatten()})


def _pool(options: Options, number: int) -> nn.Module:
    """The published windows overlap and hang over the edge, 32 → 16 → 8: maxima first, then averages."""
    if options.pool != "overlapping":
        return pool_layer(options, ceil=True)
    return (nn.MaxPool2d if number == 1 else nn.AvgPool2d)(3, 2, ceil_mode=True)

"""The successors of GoogLeNet: BN-Inception, Inception v2 and Inception v3.

`inception_bn`: Ioffe and Szegedy: Batch normalization, 2015, Figure 5, dropout left out as in section 4.2.1. The first
convolution is separable with depth multiplier 8, as the paper says. Windows are padded evenly on both sides.

`inception_v2`: Szegedy et al.: Rethinking the Inception architecture, 2015, Table 1, with modules as in Figures 5, 6
(n = 7) and 7, and the auxiliary head of Figure 8 (1,024 units without batch normalization, on the last 17×17 maps).
The paper prints no numbers of filters. Those here are the ones of the released Inception v3 (TensorFlow's and
torchvision's code) in the branch of the same shape; Figure 5's short 3×3 branch has those of v3's 5×5 branch. The grid
is reduced as in Figure 10, with the filters of v3's modules 6a and 7a. Table 1's "5×" at 17×17 is read as in the
released code, the reduction and four modules: so the network has fewer than 25 million parameters without its auxiliary
head (24,078,536) and, reductions not counted, 42 layers, both of which the paper says; five modules and the reduction
would have 25.8 million and 47.

`inception_v3`: torchvision's `inception_v3`, which follows the code that the paper's authors released: its 35×35
modules keep a 5×5 convolution, four modules stand at 17×17, and the auxiliary head is batch-normalized. torchvision's
trained weights take images scaled to -1 to 1 (its `transform_input`); that is the caller's task.

The loss of an auxiliary head counts 0.4: the papers give no number, TensorFlow-Slim's training script has this one.

On small images the first convolution moves by 1 pixel instead of 2 and every window is padded; no weight changes its
shape. Where the windows of the auxiliary head (5×5, stride 3) do not leave 5×5 positions, it averages adaptively.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce

import torch
from torch import Tensor, nn

from cnncore.arithmetic import conv_output_size
from cnncore.models.blocks import ACTIVATIONS, chain, conv_block, entry
from cnncore.models.googlenet import DeeplySupervised, block_layers, set_epsilon
from cnncore.models.layout import AdaptiveAvgPool2d, Flatten
from cnncore.models.options import Options

DEPTH_MULTIPLIER = 8
"""Maps that a separable convolution makes of each input channel before it mixes them."""


@dataclass(frozen=True)
class Conv:
    """A convolution with normalization and activation; `kernel` is its height and width in pixels."""

    filters: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True
    separable: bool = False


@dataclass(frozen=True)
class Pool:
    """A pooling by 3×3 windows: `max` or `average`."""

    kind: str
    stride: int = 1
    padded: bool = True
    kernel: tuple[int, int] = (3, 3)


@dataclass(frozen=True)
class Fork:
    """Convolutions side by side that keep height and width, and whose maps are stacked."""

    parts: tuple[Conv, ...]


Step = Conv | Pool | Fork
Branches = Mapping[str, tuple[Step, ...]]
"""A module: its branches, named as torchvision names them."""

WIDE, HIGH = (1, 7), (7, 1)
FLAT_AND_TALL = Fork((Conv(384, (1, 3)), Conv(384, (3, 1))))


def _three(filters: int, stride: int = 1, *, padded: bool = True) -> Conv:
    return Conv(filters, (3, 3), stride, padded)


def _bn_module(row: tuple[int, int, int, int, int], pool: str, projection: int) -> Branches:
    """A module of Figure 5: 1×1, 3×3 reduce, 3×3, double 3×3 reduce, double 3×3, kind of pooling, its projection."""
    one, reduce3, three, reduce_double, double = row
    return {
        "branch1x1": (Conv(one),),
        "branch3x3": (Conv(reduce3), _three(three)),
        "branch3x3dbl": (Conv(reduce_double), _three(double), _three(double)),
        "branch_pool": (Pool(pool), Conv(projection)),
    }


def _bn_reduction(row: tuple[int, int, int, int]) -> Branches:
    """A module of stride 2 (3c, 4e), whose maxima pass through: 3×3 reduce, 3×3, double 3×3 reduce, double 3×3."""
    reduce3, three, reduce_double, double = row
    return {
        "branch3x3": (Conv(reduce3), _three(three, 2)),
        "branch3x3dbl": (Conv(reduce_double), _three(double), _three(double, 2)),
        "branch_pool": (Pool("max", 2),),
    }


def _at_35(side: int, projection: int) -> Branches:
    """A module at 35×35, with a 3×3 (v2, Figure 5) or a 5×5 convolution (v3) in the second branch."""
    return {
        "branch1x1": (Conv(64),),
        f"branch{side}x{side}": (Conv(48), Conv(64, (side, side))),
        "branch3x3dbl": (Conv(64), _three(96), _three(96)),
        "branch_pool": (Pool("average"), Conv(projection)),
    }


TO_17: Branches = {
    "branch3x3": (_three(384, 2, padded=False),),
    "branch3x3dbl": (Conv(64), _three(96), _three(96, 2, padded=False)),
    "branch_pool": (Pool("max", 2, padded=False),),
}


def _at_17(inner: int) -> Branches:
    """A module at 17×17 (Figure 6): 7×7 convolutions factorized into 1×7 and 7×1, `inner` filters between."""
    return {
        "branch1x1": (Conv(192),),
        "branch7x7": (Conv(inner), Conv(inner, WIDE), Conv(192, HIGH)),
        "branch7x7dbl": (Conv(inner), Conv(inner, HIGH), Conv(inner, WIDE), Conv(inner, HIGH), Conv(192, WIDE)),
        "branch_pool": (Pool("average"), Conv(192)),
    }


AT_17 = {"6b": _at_17(128), "6c": _at_17(160), "6d": _at_17(160), "6e": _at_17(192)}


def _to_8(name: str, *between: Conv) -> Branches:
    """The reduction to 8×8; `between` stands in the branch `name`, before its last convolution."""
    return {
        "branch3x3": (Conv(192), _three(320, 2, padded=False)),
        name: (Conv(192), *between, _three(192, 2, padded=False)),
        "branch_pool": (Pool("max", 2, padded=False),),
    }


AT_8: Branches = {
    # Figure 7
    "branch1x1": (Conv(320),),
    "branch3x3": (Conv(384), FLAT_AND_TALL),
    "branch3x3dbl": (Conv(448), _three(384), FLAT_AND_TALL),
    "branch_pool": (Pool("average"), Conv(192)),
}


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network.

    Attributes:
        stem: What stands before the first module.
        modules: The modules by the names that the source gives them.
        supervised: The module whose maps the auxiliary head classifies, if there is one.
        normalized_head: Whether that head is batch-normalized throughout (v3) or but for its dense layer (v2).
        count_padding: Whether averages count the zeros of the padding, as torchvision's do and TensorFlow's do not.
        epsilon: What batch normalization adds to the variance.
    """

    stem: Mapping[str, Step]
    modules: Mapping[str, Branches]
    supervised: str = ""
    normalized_head: bool = False
    count_padding: bool = False
    epsilon: float = 1e-3


NETWORKS = {
    "inception_bn": Network(
        stem={
            "conv1": Conv(64, (7, 7), 2, separable=True),
            "pool1": Pool("max", 2),
            "reduce": Conv(64),
            "conv2": _three(192),
            "pool2": Pool("max", 2),
        },
        modules={
            "3a": _bn_module((64, 64, 64, 64, 96), "average", 32),
            "3b": _bn_module((64, 64, 96, 64, 96), "average", 64),
            "3c": _bn_reduction((128, 160, 64, 96)),
            "4a": _bn_module((224, 64, 96, 96, 128), "average", 128),
            "4b": _bn_module((192, 96, 128, 96, 128), "average", 128),
            "4c": _bn_module((160, 128, 160, 128, 160), "average", 96),
            "4d": _bn_module((96, 128, 192, 160, 192), "average", 96),
            "4e": _bn_reduction((128, 192, 192, 256)),
            "5a": _bn_module((352, 192, 320, 160, 224), "average", 128),
            "5b": _bn_module((352, 192, 320, 192, 224), "max", 128),
        },
    ),
    "inception_v2": Network(
        stem={
            "conv1": _three(32, 2, padded=False),
            "conv2": _three(32, padded=False),
            "conv3": _three(64),
            "pool1": Pool("max", 2, padded=False),
            "conv4": _three(80, padded=False),
            "conv5": _three(192, 2, padded=False),
            "conv6": _three(288),
        },
        modules={
            **{f"5{letter}": _at_35(3, 64) for letter in "bcd"},
            "6a": TO_17,
            **AT_17,
            "7a": _to_8("branch3x3dbl", _three(192)),
            "7b": AT_8,
            "7c": AT_8,
        },
        supervised="6e",
    ),
    "inception_v3": Network(
        stem={
            "conv1": _three(32, 2, padded=False),
            "conv2": _three(32, padded=False),
            "conv3": _three(64),
            "pool1": Pool("max", 2, padded=False),
            "conv4": Conv(80),
            "conv5": _three(192, padded=False),
            "pool2": Pool("max", 2, padded=False),
        },
        modules={
            **{f"5{letter}": _at_35(5, count) for letter, count in zip("bcd", (32, 64, 64), strict=True)},
            "6a": TO_17,
            **AT_17,
            "7a": _to_8("branch7x7x3", Conv(192, WIDE), Conv(192, HIGH)),
            "7b": AT_8,
            "7c": AT_8,
        },
        supervised="6e",
        normalized_head=True,
        count_padding=True,
    ),
}
AUXILIARY_FILTERS, AUXILIARY_SIDE = 128, 5
AUXILIARY_UNITS = {"inception_v2": 1_024, "inception_v3": 768}


class Stacked(nn.Module):
    """Branches side by side, whose maps are stacked."""

    def __init__(self, branches: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], dim=1)


def inception(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """Any of `NETWORKS`; 27,161,264 parameters for Inception v3 with its auxiliary head."""
    network = _for_small_images(NETWORKS[options.name]) if options.stem == "small" else NETWORKS[options.name]
    channels, *sides = in_shape
    stem, channels = _chain(options, network, channels, network.stem)
    sides = [reduce(_side_after, network.stem.values(), side) for side in sides]
    layers: dict[str, nn.Module] = {**entry(options), "stem": stem}
    head = f"aux{network.supervised}"
    for name, branches in network.modules.items():
        layers[f"inception{name}"], channels = _module(options, network, channels, branches)
        # All branches leave the same size, and each module has a pooling.
        sides = [_side_after(side, branches["branch_pool"][0]) for side in sides]
        if name == network.supervised and options.aux == "on":
            layers[head] = _auxiliary_head(options, network, channels, sides, num_classes)
    layers |= {
        "average": AdaptiveAvgPool2d(1),
        "flatten": Flatten(),
        "dropout": nn.Dropout(options.dropout or 0.0),
        "output": nn.Linear(channels, num_classes),
    }
    model = DeeplySupervised(layers, frozenset({head} & layers.keys()))
    set_epsilon(model, network.epsilon)
    return model


def _for_small_images(network: Network) -> Network:
    """Every window padded, and the first convolution with stride 1."""
    stem = {name: _padded(step) for name, step in network.stem.items()}
    modules = {
        name: {branch: tuple(_padded(step) for step in steps) for branch, steps in branches.items()}
        for name, branches in network.modules.items()
    }
    first = stem["conv1"]
    assert isinstance(first, Conv)
    return replace(network, stem={**stem, "conv1": replace(first, stride=1)}, modules=modules)


def _padded(step: Step) -> Step:
    return step if isinstance(step, Fork) else replace(step, padded=True)


def _module(options: Options, network: Network, in_channels: int, branches: Branches) -> tuple[nn.Module, int]:
    built = {name: _chain(options, network, in_channels, _named(steps)) for name, steps in branches.items()}
    return Stacked({name: branch for name, (branch, _) in built.items()}), sum(count for _, count in built.values())


def _named(steps: tuple[Step, ...]) -> dict[str, Step]:
    """A branch's steps by name: `pool` or `conv1`, `conv2` and so on."""
    named: dict[str, Step] = {}
    for step in steps:
        named["pool" if isinstance(step, Pool) else f"conv{sum(name != 'pool' for name in named) + 1}"] = step
    return named


def _chain(options: Options, network: Network, channels: int, steps: Mapping[str, Step]) -> tuple[nn.Module, int]:
    """The steps one after the other, and the channels that they leave."""
    layers: dict[str, nn.Module] = {}
    for name, step in steps.items():
        layers[name], channels = _layer(options, network, channels, step)
    return chain(layers), channels


def _layer(options: Options, network: Network, channels: int, step: Step) -> tuple[nn.Module, int]:
    if isinstance(step, Fork):
        parts = [_layer(options, network, channels, part) for part in step.parts]
        return Stacked({letter: part for letter, (part, _) in zip("ab", parts, strict=True)}), sum(n for _, n in parts)
    height, width = step.kernel
    padding = (height // 2, width // 2) if step.padded else (0, 0)
    if isinstance(step, Pool):
        average = partial(nn.AvgPool2d, count_include_pad=network.count_padding)
        make: Callable[..., nn.Module] = nn.MaxPool2d if step.kind == "max" else average
        return make(step.kernel[0], step.stride, padding[0]), channels
    filters = options.scaled(step.filters)
    if step.separable:
        maps = DEPTH_MULTIPLIER * channels
        deep = nn.Conv2d(channels, maps, step.kernel, step.stride, padding, groups=channels, bias=False)
        return chain({"depthwise": deep, "pointwise": conv_block(options, maps, filters, 1)}), filters
    return conv_block(options, channels, filters, step.kernel, stride=step.stride, padding=padding), filters


def _side_after(side: int, step: Step) -> int:
    """Pixels along one side that a step leaves of `side` pixels."""
    if isinstance(step, Fork):
        return side
    # Windows that are not square are padded and have stride 1: they leave all.
    window = max(step.kernel)
    return conv_output_size(side, window, step.stride, window // 2 if step.padded else 0)


def _auxiliary_head(
    options: Options, network: Network, in_channels: int, sides: list[int], num_classes: int
) -> nn.Module:
    filters, units = options.scaled(AUXILIARY_FILTERS), options.scaled(AUXILIARY_UNITS[options.name])
    windows = all((side - AUXILIARY_SIDE) // 3 + 1 == AUXILIARY_SIDE for side in sides)
    layers: dict[str, nn.Module] = {
        "shrink": nn.AvgPool2d(AUXILIARY_SIDE, 3) if windows else nn.AdaptiveAvgPool2d(AUXILIARY_SIDE),
        "conv1": conv_block(options, in_channels, filters, 1),
    }
    if network.normalized_head:
        layers |= {"conv2": conv_block(options, filters, units, AUXILIARY_SIDE), "flatten": Flatten()}
    else:
        layers |= {
            "flatten": Flatten(),
            "fc": nn.Linear(filters * AUXILIARY_SIDE**2, units),
            "activation": ACTIVATIONS[options.activation](),
        }
    return chain({**layers, "output": nn.Linear(units, num_classes)})


def torchvision_layers(key: str) -> dict[str, str]:
    """Our layers and torchvision's, for `inception_v3`; see `cnncore.models.names`."""
    assert key == "inception_v3"
    network = NETWORKS[key]
    stem = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3")
    blocks = {f"stem.conv{number}": theirs for number, theirs in enumerate(stem, start=1)}
    dense = {"output": "fc"}
    for module, branches in network.modules.items():
        for branch, steps in branches.items():
            convolutions = {name: step for name, step in _named(steps).items() if name != "pool"}
            for number, (name, step) in enumerate(convolutions.items(), start=1):
                ours = f"inception{module}.{branch}.{name}"
                theirs = f"Mixed_{module}.{branch}" + (f"_{number}" if len(convolutions) > 1 else "")
                letters = "ab" if isinstance(step, Fork) else ("",)
                blocks |= {f"{ours}.{letter}".rstrip("."): f"{theirs}{letter}" for letter in letters}
        if module == network.supervised:
            blocks |= {f"aux{module}.conv1": "AuxLogits.conv0", f"aux{module}.conv2": "AuxLogits.conv1"}
            dense[f"aux{module}.output"] = "AuxLogits.fc"
    return {**block_layers(blocks), **dense}

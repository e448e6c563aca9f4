"""Residual networks, and their plain twins without shortcuts.

Source: He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2015. For 224 pixels Table 1: a 7×7 stem
with max pooling and four stages. For CIFAR section 4.2: a 3×3 stem and three stages of n blocks with 16, 32 and 64
filters, 6n + 2 layers with weights. The plain networks (Figure 3, middle) have the same convolutions and nothing else;
those of bottleneck blocks are ours, built the same way. ResNet-1202 has no plain twin: its gradients would overflow.

Shortcuts: option A has no parameters: every other pixel, and zeros for the missing channels, behind the others; option
B projects with a 1×1 convolution where sizes differ; option C projects everywhere.

Deviations: bottleneck blocks halve the maps in their 3×3 convolution as torchvision's do (`stride_in="3x3"`); the paper
does it in the first 1×1 (`"1x1"`). Stem "small", for images below 96 pixels: a 3×3 convolution with stride 1, without
max pooling, as in the common ResNet-18 for CIFAR. Weights start from He's normal distribution by a unit's number of
inputs; torchvision's start by its number of outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor, nn

from cnncore.models.blocks import ACTIVATIONS, chain, conv_block, entry
from cnncore.models.layout import AdaptiveAvgPool2d, Flatten
from cnncore.models.options import Options

IMAGENET = (64, 128, 256, 512)
CIFAR = (16, 32, 64)
EXPANSION = 4
"""Channels that a bottleneck block puts out, as a multiple of those of its 3×3 convolution."""


@dataclass(frozen=True)
class Layout:
    """What tells the networks apart: the kind of block, a key of CONVOLUTIONS, the blocks a stage, and shortcuts."""

    kind: str
    blocks: tuple[int, ...]
    plain: bool = False

    @property
    def filters(self) -> tuple[int, ...]:
        """Filters of the 3×3 convolutions, stage by stage."""
        return IMAGENET if len(self.blocks) == len(IMAGENET) else CIFAR


LAYOUTS = {
    "resnet18": Layout("basic", (2, 2, 2, 2)),
    "resnet34": Layout("basic", (3, 4, 6, 3)),
    "resnet50": Layout("bottleneck", (3, 4, 6, 3)),
    "resnet101": Layout("bottleneck", (3, 4, 23, 3)),
    "resnet152": Layout("bottleneck", (3, 8, 36, 3)),
    "plain18": Layout("basic", (2, 2, 2, 2), plain=True),
    "plain34": Layout("basic", (3, 4, 6, 3), plain=True),
    "plain50": Layout("bottleneck", (3, 4, 6, 3), plain=True),
    "plain101": Layout("bottleneck", (3, 4, 23, 3), plain=True),
    "plain152": Layout("bottleneck", (3, 8, 36, 3), plain=True),
    "resnet20": Layout("basic", (3, 3, 3)),
    "resnet32": Layout("basic", (5, 5, 5)),
    "resnet44": Layout("basic", (7, 7, 7)),
    "resnet56": Layout("basic", (9, 9, 9)),
    "resnet110": Layout("basic", (18, 18, 18)),
    "resnet1202": Layout("basic", (200, 200, 200)),
    "plain20": Layout("basic", (3, 3, 3), plain=True),
    "plain32": Layout("basic", (5, 5, 5), plain=True),
    "plain44": Layout("basic", (7, 7, 7), plain=True),
    "plain56": Layout("basic", (9, 9, 9), plain=True),
    "plain110": Layout("basic", (18, 18, 18), plain=True),
}


class Shortcut(nn.Module):
    """Option A: every `stride`-th pixel, and zeros for the channels that the input has not."""

    kind = "shortcut"

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = (1, 1), (stride, stride), (0, 0)
        self.extra_channels = out_channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        # Windows of one pixel give what x[:, :, ::2, ::2] does, and a gradient in the input's memory layout. That of a
        # slice is always (N, C, H, W); added to the convolutions', channels-last, it makes the gradient of the ReLU
        # before it take 20 times as long on a CPU.
        pixels = F.avg_pool2d(x, 1, self.stride)
        return F.pad(pixels, (0, 0, 0, 0, 0, self.extra_channels))


class ResidualBlock(nn.Module):
    """Convolutions whose result is added to what the shortcut makes of the block's input, then the activation."""

    def __init__(self, options: Options, convolutions: dict[str, nn.Module], shortcut: nn.Module) -> None:
        super().__init__()
        self.convolutions = tuple(convolutions)
        for name, layer in convolutions.items():
            self.add_module(name, layer)
        self.shortcut = shortcut
        self.activation = ACTIVATIONS[options.activation]()

    def forward(self, x: Tensor) -> Tensor:
        residual = x
        for name in self.convolutions:
            residual = getattr(self, name)(residual)
        # In place: neither a convolution nor batch normalization needs its own output for the backward pass.
        return self.activation(residual.add_(self.shortcut(x)))


def residual_network(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The network of LAYOUTS[options.name] for images of `in_shape` (C, H, W); their size matters to the stem only."""
    layout = LAYOUTS[options.name]
    stem = _imagenet_stem if layout.filters == IMAGENET else _small_stem
    channels = options.scaled(layout.filters[0])
    layers = {**entry(options), "stem": stem(options, in_shape[0], channels)}
    for number, (count, blocks) in enumerate(zip(layout.filters, layout.blocks, strict=True), start=1):
        stage: dict[str, nn.Module] = {}
        for index in range(1, blocks + 1):
            stride = 2 if index == 1 and number > 1 else 1
            stage[f"block{index}"], channels = _block(layout, options, channels, options.scaled(count), stride)
        layers[f"stage{number}"] = chain(stage)
    return chain({**layers, **head(channels, num_classes)})


def head(channels: int, num_classes: int) -> dict[str, nn.Module]:
    """Average over the last maps, then one dense layer."""
    return {"average": AdaptiveAvgPool2d(1), "flatten": Flatten(), "output": nn.Linear(channels, num_classes)}


def _imagenet_stem(options: Options, in_channels: int, filters: int) -> nn.Module:
    if options.stem == "small":
        return _small_stem(options, in_channels, filters)
    pool = nn.MaxPool2d(3, 2, padding=1)
    return conv_block(options, in_channels, filters, 7, stride=2, padding=3, pool=pool)


def _small_stem(options: Options, in_channels: int, filters: int) -> nn.Module:
    return conv_block(options, in_channels, filters, 3, padding=1)


def _block(layout: Layout, options: Options, in_channels: int, filters: int, stride: int) -> tuple[nn.Module, int]:
    """A block whose 3×3 convolutions have `filters` filters, and the channels that it puts out."""
    out_channels = EXPANSION * filters if layout.kind == "bottleneck" else filters
    # With a shortcut the last activation follows the sum.
    last = ACTIVATIONS[options.activation] if layout.plain else nn.Identity
    convolutions = CONVOLUTIONS[layout.kind](options, in_channels, filters, stride, last)
    if layout.plain:
        return chain(convolutions), out_channels
    return ResidualBlock(options, convolutions, _shortcut(options, in_channels, out_channels, stride)), out_channels


def _basic(
    options: Options, in_channels: int, filters: int, stride: int, last: Callable[[], nn.Module]
) -> dict[str, nn.Module]:
    """Two 3×3 convolutions (Figure 5, left); `last` makes the last activation."""
    return {
        "conv1": conv_block(options, in_channels, filters, 3, stride=stride, padding=1),
        "conv2": conv_block(options, filters, filters, 3, padding=1, activation=last),
    }


def _bottleneck(
    options: Options, in_channels: int, filters: int, stride: int, last: Callable[[], nn.Module]
) -> dict[str, nn.Module]:
    """1×1, 3×3 and 1×1 convolution (Figure 5, right); `last` makes the last activation."""
    first, second = stride_of_first_two(options, stride)
    return {
        "conv1": conv_block(options, in_channels, filters, 1, stride=first),
        "conv2": conv_block(options, filters, filters, 3, stride=second, padding=1),
        "conv3": conv_block(options, filters, EXPANSION * filters, 1, activation=last),
    }


CONVOLUTIONS = {"basic": _basic, "bottleneck": _bottleneck}


def stride_of_first_two(options: Options, stride: int) -> tuple[int, int]:
    """Strides of a bottleneck block's first 1×1 and of its 3×3 convolution, by the option `stride_in`."""
    return (stride, 1) if options.stride_in == "1x1" else (1, stride)


def _shortcut(options: Options, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    same = stride == 1 and in_channels == out_channels
    if options.shortcut == "C" or (options.shortcut == "B" and not same):
        return conv_block(options, in_channels, out_channels, 1, stride=stride, activation=nn.Identity)
    return nn.Identity() if same else Shortcut(in_channels, out_channels, stride)


def torchvision_layers(key: str) -> dict[str, str]:
    """Our layers' names and those of torchvision's residual network `MODELS[key].torchvision`."""
    layout = LAYOUTS[key]
    names = {"stem.conv": "conv1", "stem.norm": "bn1"}
    for number, blocks in enumerate(layout.blocks, start=1):
        for index in range(blocks):
            ours, theirs = f"stage{number}.block{index + 1}", f"layer{number}.{index}"
            for place in range(1, 4 if layout.kind == "bottleneck" else 3):
                names |= {
                    f"{ours}.conv{place}.conv": f"{theirs}.conv{place}",
                    f"{ours}.conv{place}.norm": f"{theirs}.bn{place}",
                }
            if index == 0 and (number > 1 or layout.kind == "bottleneck"):
                names |= {
                    f"{ours}.shortcut.conv": f"{theirs}.downsample.0",
                    f"{ours}.shortcut.norm": f"{theirs}.downsample.1",
                }
    return {**names, "output": "fc"}


def zeros_behind(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a CIFAR network whose option-A shortcuts pad half of the zeros before the channels, for ours.

    The paper leaves open where the missing channels stand. Ours come behind the others; with their channels in our
    order these weights compute the same.

    Args:
        state: All tensors by our names, of blocks with two convolutions.
    """
    found = dict(state)
    order = torch.arange(len(state["stem.conv.weight"]))
    blocks = dict.fromkeys(name.rpartition(".conv1.")[0] for name in state if ".conv1." in name)
    for block in blocks:
        before, channels = order, len(state[f"{block}.conv2.conv.weight"])
        if channels > len(order):
            padded = (channels - len(order)) // 2
            kept = order + padded
            zeros = torch.ones(channels, dtype=torch.bool).index_fill(0, kept, False)
            order = torch.cat([kept, zeros.nonzero().flatten()])
        found[f"{block}.conv1.conv.weight"] = state[f"{block}.conv1.conv.weight"][:, before]
        for name, value in state.items():
            if name.startswith(f"{block}.conv2.") and value.ndim:
                found[name] = value[order]
    found["output.weight"] = state["output.weight"][:, order]
    return found

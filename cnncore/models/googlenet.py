"""GoogLeNet: as published, torchvision's version, and one for small images.

Source: Szegedy et al.: Going deeper with convolutions, 2014, Table 1 and section 5.
All three have the 1×1 and 3×3 convolution before the second pooling and both auxiliary heads, on 4a and 4d, with a
dense layer of their own. What they differ in stands in `FORMS`. Poolings between stages are 3×3 with stride 2 whose
last window may hang over the edge, which gives the sizes of Table 1.

`googlenet` is Table 1 with biases, local response normalization (Figure 3) and real 5×5 branches. Open in the paper,
so our choice: the constants of the normalization (AlexNet's) and the first weights (He et al.).
`googlenet_torchvision` is torchvision's `googlenet`: 3×3 in place of 5×5, batch normalization (epsilon 1e-3) in place
of biases and local response normalization, the last pooling 2×2, dropout 0.2. torchvision's trained weights take images
scaled to -1 to 1 (its `transform_input`); that is the caller's task.
`googlenet_small` is ours: 3×3 in place of 7×7 and batch normalization unless the option says otherwise.

On small images the first convolution moves by 1 pixel instead of 2 and the poolings are padded, so that 2×2 maps are
left of 28 pixels; no weight changes its shape. The heads average to the paper's 4×4 positions, by 5×5 windows with
stride 3 where that is what they leave, at other sizes adaptively (as torchvision does at any size).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from cnncore.arithmetic import conv_output_size, pool_output_size
from cnncore.models.blocks import ACTIVATIONS, LocalResponseNorm, chain, conv_block, entry
from cnncore.models.layout import AdaptiveAvgPool2d, Flatten
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
AUXILIARY_FILTERS, AUXILIARY_UNITS, AUXILIARY_DROPOUT, AUXILIARY_SIDE = 128, 1_024, 0.7, 4
WINDOWS = {"max": nn.MaxPool2d, "average": partial(nn.AvgPool2d, count_include_pad=False)}


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the versions differ in.

    Attributes:
        first: Window of the first convolution in pixels.
        stride_two_from: Pixels of the shorter side from which it moves by two pixels; `None`: as the stem says.
        widest: Window of the third branch in pixels.
        last_pool: Window of the pooling after 4e in pixels.
        padded: Whether the poolings' windows are padded for any image, not only for small ones.
        windows_in_heads: Whether the heads average by 5×5 windows with stride 3.
        epsilon: What batch normalization adds to the variance.
    """

    first: int = 7
    stride_two_from: int | None = None
    widest: int = 5
    last_pool: int = 3
    padded: bool = False
    windows_in_heads: bool = False
    epsilon: float = 1e-5

    def stride(self, options: Options, side: int) -> int:
        """Pixels by which the first convolution moves; `side` is the image's shorter side."""
        if self.stride_two_from is None:
            return 1 if options.stem == "small" else 2
        return 2 if side >= self.stride_two_from else 1

    def pool(self, options: Options, window: int = 3) -> nn.Module:
        """The pooling between two stages."""
        padding, ceil = self.edge(options)
        return WINDOWS[str(options.pool)](window, 2, padding=padding if window > 2 else 0, ceil_mode=ceil)

    def edge(self, options: Options) -> tuple[int, bool]:
        """Padding of a 3×3 pooling in pixels, and whether its last window may hang over the edge instead."""
        padded = self.padded or options.stem == "small"
        return int(padded), not padded


FORMS = {
    "googlenet": Form(windows_in_heads=True),
    "googlenet_torchvision": Form(widest=3, last_pool=2, epsilon=1e-3),
    "googlenet_small": Form(first=3, stride_two_from=64, padded=True),
}


class Inception(nn.Module):
    """Four branches side by side, whose maps are stacked: with 1×1 reductions (Figure 2b), or naive (Figure 2a)."""

    def __init__(self, options: Options, form: Form, in_channels: int, row: tuple[int, ...]) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, projection = (options.scaled(count) for count in row)
        block = partial(conv_block, options, lrn=False)
        self.branch1 = block(in_channels, one, 1)
        same = form.widest // 2
        pool = WINDOWS[str(options.pool)](3, 1, padding=1)
        if options.module == "naive":
            self.branch3 = block(in_channels, three, 3, padding=1)
            self.branch5 = block(in_channels, five, form.widest, padding=same)
            self.branch_pool: nn.Module = pool
            projection = in_channels
        else:
            self.branch3 = chain(
                {"reduce": block(in_channels, reduce3, 1), "conv": block(reduce3, three, 3, padding=1)}
            )
            self.branch5 = chain(
                {"reduce": block(in_channels, reduce5, 1), "conv": block(reduce5, five, form.widest, padding=same)}
            )
            self.branch_pool = chain({"pool": pool, "projection": block(in_channels, projection, 1)})
        self.out_channels = one + three + five + projection

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch3(x), self.branch5(x), self.branch_pool(x)], dim=1)


class DeeplySupervised(nn.Module):
    """Layers one after the other, and beside them auxiliary heads that work while training only.

    A head stands behind the layer whose maps it classifies; its logits follow those of the last layer.
    """

    def __init__(self, layers: Mapping[str, nn.Module], heads: frozenset[str]) -> None:
        """Takes the layers in their order, heads among them, and the names of the heads."""
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        auxiliary: list[Tensor] = []
        for name, layer in self.named_children():
            if name not in self.heads:
                x = layer(x)
            elif self.training:
                auxiliary.append(layer(x))
        return (x, *auxiliary) if auxiliary else x


def googlenet(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """Any of `FORMS`; 13,378,280 parameters as published, 6,998,552 of them outside the auxiliary heads."""
    form = FORMS[options.name]
    layers: dict[str, nn.Module] = {**entry(options)}
    layers["stem"], channels = _stem(options, form, in_shape)
    heads = [module for module in AUXILIARY_HEADS if options.aux == "on"]
    for name, row in INCEPTION.items():
        module = Inception(options, form, channels, row)
        layers[f"inception{name}"] = module
        channels = module.out_channels
        if name in POOLED_AFTER:
            layers[f"pool{name}"] = form.pool(options, form.last_pool if name == "4e" else 3)
        if name in heads:
            layers[f"aux{name}"] = _auxiliary_head(options, form, in_shape, channels, num_classes)
    layers |= {
        "average": AdaptiveAvgPool2d(1),
        "flatten": Flatten(),
        "dropout": nn.Dropout(options.dropout or 0.0),
        "output": nn.Linear(channels, num_classes),
    }
    model = DeeplySupervised(layers, frozenset(f"aux{name}" for name in heads))
    set_epsilon(model, form.epsilon)
    return model


def set_epsilon(model: nn.Module, epsilon: float) -> None:
    """Sets what each batch normalization adds to the variance."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = epsilon


def _stem(options: Options, form: Form, in_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
    """All before module 3a, and its number of channels."""
    channels, height, width = in_shape
    first, last = options.scaled(64), options.scaled(192)
    lrn = options.norm == "lrn"
    block = partial(conv_block, options, lrn=False)
    stride = form.stride(options, min(height, width))
    layers = {
        "conv1": block(channels, first, form.first, stride=stride, padding=form.first // 2, pool=form.pool(options)),
        **({"norm1": LocalResponseNorm(first)} if lrn else {}),
        "reduce": block(first, first, 1),
        "conv2": block(first, last, 3, padding=1),
        **({"norm2": LocalResponseNorm(last)} if lrn else {}),
        "pool2": form.pool(options),
    }
    return chain(layers), last


def _auxiliary_head(
    options: Options, form: Form, in_shape: tuple[int, int, int], in_channels: int, num_classes: int
) -> nn.Module:
    filters, units = options.scaled(AUXILIARY_FILTERS), options.scaled(AUXILIARY_UNITS)
    stride = form.stride(options, min(in_shape[1:]))
    sides = [_side_at_heads(options, form, stride, side) for side in in_shape[1:]]
    windows = form.windows_in_heads and all((side - 5) // 3 + 1 == AUXILIARY_SIDE for side in sides)
    return chain(
        {
            "shrink": nn.AvgPool2d(5, 3) if windows else nn.AdaptiveAvgPool2d(AUXILIARY_SIDE),
            "conv": conv_block(options, in_channels, filters, 1, lrn=False),
            "flatten": Flatten(),
            "fc1": nn.Linear(filters * AUXILIARY_SIDE**2, units),
            "activation": ACTIVATIONS[options.activation](),
            "dropout": nn.Dropout(AUXILIARY_DROPOUT),
            "output": nn.Linear(units, num_classes),
        }
    )


def _side_at_heads(options: Options, form: Form, stride: int, side: int) -> int:
    """Pixels along a side of the maps of 4a to 4e, for an image with `side` pixels."""
    padding, ceil = form.edge(options)
    side = conv_output_size(side, form.first, stride, form.first // 2)
    for _ in range(3):
        side = pool_output_size(side, 3, 2, padding, ceil=ceil)
    return side


def torchvision_layers(key: str) -> dict[str, str]:
    """Our layers and torchvision's, for `googlenet_torchvision`; see `cnncore.models.names`."""
    assert key == "googlenet_torchvision"
    blocks = {"stem.conv1": "conv1", "stem.reduce": "conv2", "stem.conv2": "conv3"}
    branches = {
        "branch1": "branch1",
        "branch3.reduce": "branch2.0",
        "branch3.conv": "branch2.1",
        "branch5.reduce": "branch3.0",
        "branch5.conv": "branch3.1",
        "branch_pool.projection": "branch4.1",
    }
    dense: dict[str, str] = {}
    for name in INCEPTION:
        blocks |= {f"inception{name}.{ours}": f"inception{name}.{theirs}" for ours, theirs in branches.items()}
        if name in AUXILIARY_HEADS:
            theirs = f"aux{AUXILIARY_HEADS.index(name) + 1}"
            blocks[f"aux{name}.conv"] = f"{theirs}.conv"
            dense |= {f"aux{name}.fc1": f"{theirs}.fc1", f"aux{name}.output": f"{theirs}.fc2"}
    return {**block_layers(blocks), **dense, "output": "fc"}


def block_layers(blocks: Mapping[str, str]) -> dict[str, str]:
    """The convolutions and normalizations in our `conv_block`s and in torchvision's `BasicConv2d`s."""
    inner = {"conv": "conv", "norm": "bn"}
    return {f"{ours}.{one}": f"{theirs}.{other}" for ours, theirs in blocks.items() for one, other in inner.items()}

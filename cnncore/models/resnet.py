"""Residual networks for small images.

Source: He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2015, section 4.2: three stages of n blocks
with 16, 32 and 64 filters, shortcuts without parameters (option A), 6n + 2 layers with weights.
"""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor, nn

from cnncore.models.blocks import ACTIVATIONS, chain, conv_block, entry
from cnncore.models.options import Options

STAGES = (16, 32, 64)


class Shortcut(nn.Module):
    """Option A: every other pixel, and zeros for the channels that the input has not."""

    kind = "shortcut"

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = (1, 1), (2, 2), (0, 0)
        self.extra_channels = out_channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.extra_channels))


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions whose result is added to the block's input, then the activation."""

    def __init__(self, options: Options, in_channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv_block(options, in_channels, filters, 3, stride=stride, padding=1)
        self.conv2 = conv_block(options, filters, filters, 3, padding=1, activation=nn.Identity)
        self.shortcut = Shortcut(in_channels, filters) if stride > 1 else nn.Identity()
        self.activation = ACTIVATIONS[options.activation]()

    def forward(self, x: Tensor) -> Tensor:
        residual = self.conv2(self.conv1(x))
        # In place: neither a convolution nor batch normalization needs its own output for the backward pass.
        return self.activation(residual.add_(self.shortcut(x)))


def resnet20(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """ResNet-20: three blocks a stage; 269,722 parameters at 32×32×3 with 10 classes."""
    return _residual_network(options, in_shape[0], num_classes, blocks=3)


def _residual_network(options: Options, in_channels: int, num_classes: int, *, blocks: int) -> nn.Module:
    channels = options.scaled(STAGES[0])
    layers = {**entry(options), "stem": conv_block(options, in_channels, channels, 3, padding=1)}
    for number, count in enumerate(STAGES, start=1):
        stage: dict[str, nn.Module] = {}
        for index in range(1, blocks + 1):
            filters = options.scaled(count)
            stride = 2 if index == 1 and number > 1 else 1
            stage[f"block{index}"] = ResidualBlock(options, channels, filters, stride)
            channels = filters
        layers[f"stage{number}"] = chain(stage)
    head = {"average": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "output": nn.Linear(channels, num_classes)}
    return chain({**layers, **head})

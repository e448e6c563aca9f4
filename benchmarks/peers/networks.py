"""The three networks of the comparison in plain torch: nothing but the layers, so that every peer trains the same."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


def build(model: str) -> nn.Module:
    return {"lenet_tutorial": lenet_tutorial, "cnn3": cnn3, "resnet20": resnet20}[model]()


def lenet_tutorial() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip


def cnn3() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(),
        nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(576, 100), nn.ReLU(), nn.Linear(100, 10),
    )  # fmt: skip


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut that subsamples and pads with zero channels (option A)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.stride, self.pad = stride, (out_channels - in_channels) // 2

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.stride != 1:
            x = pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return torch.relu(x + y)


def resnet20() -> nn.Module:
    stages = [(16, 16, 1), (16, 32, 2), (32, 64, 2)]
    blocks = [
        ResidualBlock(out if i else into, out, 1 if i else stride) for into, out, stride in stages for i in range(3)
    ]
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip

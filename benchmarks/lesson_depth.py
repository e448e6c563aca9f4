"""Trains the small stacks whose curves the lesson on residual connections shows: plain and residual, by depth.

    python -m benchmarks.lesson_depth [--seeds 3] [--out cnncore/lessons/recorded/depth.json]

Built-in digits, averaged to 14 × 14 pixels. A 3×3 convolution with max pooling, then pairs of 3×3 convolutions of as
many channels, the mean over each map, one dense layer; shortcuts around each pair, with the activation after the sum
(He et al. 2015, Figure 2). Batch normalization after every convolution except in the arm that shows vanishing
gradients. SGD with momentum 0.9, the learning rate falling to 0 by half a cosine; all arms share it. The one that
over-fits runs as many epochs as it takes to learn its 100 images by heart.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor, nn

from benchmarks.report import machine, own_command
from cnncore.config import DataConfig
from cnncore.data import open_images
from cnncore.data.images import Images
from cnncore.places import PROJECT_ROOT, data_dir

OUT = PROJECT_ROOT / "cnncore" / "lessons" / "recorded" / "depth.json"
SIDE, CHANNELS, CLASSES = 14, 12, 10
BATCH, RATE, MOMENTUM, WEIGHT_DECAY = 128, 0.1, 0.9, 1e-4
Digits = dict[str, tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One kind of training; `images` None takes all training images."""

    depth: int
    residual: bool = False
    normalized: bool = True
    activation: str = "relu"
    images: int | None = None
    epochs: int = 6


ARMS: dict[str, Arm] = {
    "plain8": Arm(depth=8),
    "plain20": Arm(depth=20),
    "plain32": Arm(depth=32),
    "residual8": Arm(depth=8, residual=True),
    "residual20": Arm(depth=20, residual=True),
    "residual32": Arm(depth=32, residual=True),
    "vanishing": Arm(depth=20, normalized=False, activation="sigmoid"),
    "overfitting": Arm(depth=8, residual=True, images=100, epochs=100),
}
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu, "sigmoid": torch.sigmoid}


class Stack(nn.Module):
    """Digits (N, 1, 14, 14) to scores (N, 10)."""

    def __init__(self, arm: Arm) -> None:
        super().__init__()
        self.arm, self.activation = arm, ACTIVATIONS[arm.activation]
        widths = [1, *([CHANNELS] * (arm.depth - 1))]
        layers = [
            nn.Conv2d(below, above, 3, padding=1, bias=not arm.normalized)
            for below, above in itertools.pairwise(widths)
        ]
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight)
        self.convolutions = nn.ModuleList(layers)
        self.watched = [layers[0].weight, layers[-1].weight]
        self.norms = nn.ModuleList(nn.BatchNorm2d(CHANNELS) if arm.normalized else nn.Identity() for _ in widths[1:])
        self.output = nn.Linear(CHANNELS, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        maps = F.max_pool2d(self.activation(self.norms[0](self.convolutions[0](images))), 2)
        for place in range(1, len(self.convolutions), 2):
            inner = self.activation(self.norms[place](self.convolutions[place](maps)))
            added = self.norms[place + 1](self.convolutions[place + 1](inner))
            maps = self.activation(added + maps if self.arm.residual else added)
        return self.output(maps.mean(dim=(2, 3)))


def digits(data: Path) -> Digits:
    """The built-in digits for training and testing: images (N, 1, 14, 14) with mean 0 and deviation 1, labels (N,).

    Both in a random order that is always the same, so that the first 100 hold every class.
    """
    opened = open_images(DataConfig(dataset="mnist5k"), data)
    found: Digits = {}
    for name, split in (("train", opened.train), ("test", opened.test)):
        assert isinstance(split, Images)
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))
        images = F.avg_pool2d(split.take(order).movedim(-1, 1).float() / 255, 2)
        found[name] = (images, split.labels[order].long())
    deviation, mean = torch.std_mean(found["train"][0])
    return {name: ((images - mean) / deviation, labels) for name, (images, labels) in found.items()}


def error_of(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of images that are answered wrongly, in percent."""
    network.eval()
    with torch.no_grad():
        wrong = (network(images).argmax(1) != labels).double().mean()
    network.train()
    return round(100 * float(wrong), 2)


def train(arm: Arm, splits: Digits, seed: int) -> dict[str, Any]:
    """One training: errors in percent after each epoch, and the norms of the first and the last convolution's gradient
    (of its weights), mean over the steps of each epoch."""
    torch.manual_seed(seed)
    images, labels = (part[: arm.images] for part in splits["train"])
    network = Stack(arm)
    optimizer = torch.optim.SGD(network.parameters(), RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    batches = math.ceil(len(images) / BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, arm.epochs * batches)
    record: dict[str, Any] = {"train": [], "test": [], "first": [], "last": []}
    for _ in range(arm.epochs):
        norms: list[list[float]] = []
        for rows in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(network(images[rows]), labels[rows]).backward()
            norms.append(
                [float(torch.linalg.vector_norm(weight.grad)) for weight in network.watched if weight.grad is not None]
            )
            optimizer.step()
            schedule.step()
        record["train"].append(error_of(network, images, labels))
        record["test"].append(error_of(network, *splits["test"]))
        for name, values in zip(("first", "last"), zip(*norms, strict=True), strict=True):
            record[name].append(float(f"{sum(values) / len(values):.3g}"))
    return record


def main() -> None:
    command_line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_argument("--seeds", type=int, default=3)
    command_line.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    command_line.add_argument("--out", type=Path, default=OUT)
    arguments = command_line.parse_args()
    torch.set_num_threads(1)
    facts, begin, splits = machine(), time.monotonic(), digits(data_dir())
    arms: dict[str, Any] = {}
    for name in arguments.arms:
        runs = [train(ARMS[name], splits, seed) for seed in range(arguments.seeds)]
        arms[name] = {**asdict(ARMS[name]), "runs": runs}
        print(name, [(run["train"][-1], run["test"][-1]) for run in runs], f"{time.monotonic() - begin:.0f} s",
              file=sys.stderr)  # fmt: skip
    record = {
        "command": own_command(),
        "date": date.today().isoformat(),
        "device": facts["cpu"],
        "versions": facts["versions"],
        "seconds": round(time.monotonic() - begin),
        "seeds": arguments.seeds,
        "images": {name: len(labels) for name, (_, labels) in splits.items()},
        "settings": {"batch": BATCH, "learning rate": RATE, "channels": CHANNELS, "side": SIDE},
        "arms": arms,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

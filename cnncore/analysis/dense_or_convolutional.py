"""A dense and a convolutional network of about the same size on digits, and on the same digits with shuffled pixels.

One order of the pixels for all images of a seed. To the dense network that is the same problem: with its first weights
in that order too it computes the same. The convolutional one loses that neighbors belong together. (LeCun and Bengio:
Convolutional networks for images, speech, and time series, 1995, say it of dense networks: the order of the inputs does
not matter to them.)
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.analysis.scans import Work
from cnncore.data import ImageData, Images
from cnncore.data.order import Order
from cnncore.lessons.dense import pixel_order

Network = Literal["dense", "convolutional"]

SIDE, CLASSES = 28, 10
HIDDEN = 14
BATCH_SIZE = 64
RATE = 3e-3
ARMS: tuple[tuple[Network, bool], ...] = (
    ("dense", False), ("dense", True), ("convolutional", False), ("convolutional", True)
)  # fmt: skip
"""Network, and whether the pixels are shuffled; in the order of the results."""


def build(network: Network, seed: int) -> nn.Sequential:
    """A network for digits (N, 1, 28, 28): 11,140 parameters the dense one, 11,274 the convolutional one."""
    torch.default_generator.manual_seed(seed)
    if network == "dense":
        return nn.Sequential(
            nn.Flatten(), nn.Linear(SIDE * SIDE, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES)
        )  # fmt: skip
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2, padding=2),  # (N, 8, 14, 14)
        nn.ReLU(),
        nn.Conv2d(8, 16, 5, stride=2, padding=2),  # (N, 16, 7, 7)
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 7 * 7, CLASSES),
    )


def num_params(network: Network) -> int:
    """Parameters of a network."""
    return sum(weight.numel() for weight in build(network, 0).parameters())


@dataclass(frozen=True, eq=False)
class Digits:
    """Images of a split: float32 (N, 784), mean 0 and deviation 1 over the training images, and labels (N,)."""

    pixels: Tensor
    labels: Tensor

    def seen(self, order: npt.NDArray[np.int64] | None) -> Tensor:
        """As a network gets them, (N, 1, 28, 28), with the pixels in another order where there is one."""
        pixels = self.pixels if order is None else self.pixels[:, torch.from_numpy(order)]
        return pixels.reshape(-1, 1, SIDE, SIDE)


@dataclass(frozen=True, eq=False)
class Splits:
    """The digits that are trained on, looked at after every epoch, and looked at once."""

    train: Digits
    validation: Digits
    test: Digits

    @staticmethod
    def of(data: ImageData) -> Splits:
        """The splits of open images of 28 × 28 gray pixels."""
        mean, std = data.mean[0], data.std[0]

        def digits(split: object) -> Digits:
            assert isinstance(split, Images)
            return Digits(split.pixels.flatten(1).float().div_(255).sub_(mean).div_(std), split.labels)

        return Splits(digits(data.train), digits(data.validation), digits(data.test))


def train_steps(
    model: nn.Module, images: Tensor, labels: Tensor, *, epochs: int, seed: int
) -> Iterator[tuple[int, bool]]:
    """Train with Adam; yields after every step the epoch, from 0, and whether the step was its last one."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    order = Order(num_images=len(labels), batch_size=BATCH_SIZE, seed=seed)
    for epoch in range(epochs):
        chunks = order.chunks(epoch)
        for step, chosen in enumerate(chunks):
            loss = functional.cross_entropy(model(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield epoch, step == len(chunks) - 1


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of images whose class is the most probable one."""
    with torch.inference_mode():
        return float((model(images).argmax(dim=1) == labels).float().mean())


class Trial:
    """The experiment; the same arguments give the same results.

    All networks of a seed begin with the weights of that seed and see the images in the same order.

    Args:
        splits: The digits.
        seeds: How many, from 0.
        epochs: Of every training.

    Attributes:
        curves: Validation accuracy, (arms, seeds, epochs); NaN where it is not known yet.
        test: Test accuracy of the last weights, (arms, seeds); likewise.
        done: Steps taken.
        total: Steps in all.
        seconds: Spent so far.
    """

    def __init__(self, splits: Splits, *, seeds: int, epochs: int) -> None:
        self.splits = splits
        self.seeds, self.epochs = seeds, epochs
        self.curves = np.full((len(ARMS), seeds, epochs), np.nan)
        self.test = np.full((len(ARMS), seeds), np.nan)
        self.done = 0
        self.total = len(ARMS) * seeds * epochs * len(Order(num_images=len(splits.train.labels), batch_size=BATCH_SIZE))
        self.seconds = 0.0

    def work(self) -> Work[Trial]:
        """Carry it out, step by step; returns itself."""
        clock = time.monotonic()
        # All arms of a seed before the next seed, so that they can be compared early.
        for seed, arm in itertools.product(range(self.seeds), range(len(ARMS))):
            for _ in self._train(arm, seed):
                self.seconds += time.monotonic() - clock
                yield self.done, self.total
                clock = time.monotonic()
        return self

    def _train(self, arm: int, seed: int) -> Iterator[None]:
        network, shuffled = ARMS[arm]
        order = pixel_order(SIDE * SIDE, seed) if shuffled else None
        train, validation, test = (
            (split.seen(order), split.labels) for split in (self.splits.train, self.splits.validation, self.splits.test)
        )
        model = build(network, seed)
        for epoch, last in train_steps(model, *train, epochs=self.epochs, seed=seed):
            if last:
                self.curves[arm, seed, epoch] = accuracy(model, *validation)
                if epoch == self.epochs - 1:
                    self.test[arm, seed] = accuracy(model, *test)
            self.done += 1
            yield

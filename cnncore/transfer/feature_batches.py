"""Batches of kept features: the images of the same split in the same order, as the frozen backbone sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnncore.data import Batch, Split
from cnncore.data.augment import generator_for
from cnncore.data.batches import stored_pixels
from cnncore.data.images import to_device
from cnncore.data.order import Order


@dataclass(frozen=True, eq=False)
class View:
    """The features of a split's images, looked at in one way.

    Attributes:
        table: Features of these and other images, (U, ...).
        rows: Where those of the split's images are in it, int64 (N,).
    """

    table: Tensor
    rows: Tensor

    def take(self, positions: Tensor) -> Tensor:
        """The features of the images at these positions of the split, (n, ...)."""
        return self.table.index_select(0, self.rows[positions.to(self.rows.device)])

    def select(self, positions: Tensor) -> View:
        """Those of fewer images."""
        return View(self.table, self.rows[positions.to(self.rows.device)])

    def moved(self, device: torch.device) -> View:
        """On a GPU where they fit in a quarter of its free memory; else as it is."""
        if device.type != "cuda":
            return self
        free, _ = torch.cuda.mem_get_info(device)
        num_bytes = len(self.rows) * self.table[0].numel() * self.table.element_size()
        if num_bytes > free / 4:
            return self
        return View(self.table[self.rows].to(device), torch.arange(len(self.rows), device=device))


class FeatureBatches:
    """The batches of a split, epoch by epoch, each image by its features.

    With the same seed and batch size the order is that of `cnncore.data.Batches`, so a run can change between the two
    at any step. The views of an image take turns from epoch to epoch, each image beginning with another one: a pure
    function of seed and epoch.

    Args:
        split: The images.
        views: Their features, one of each way of looking at them.
        batch_size: Images a step.
        device: Where the batches are wanted.
        seed: For shuffling and the choice of views; None for evaluation, which takes the first view.
    """

    def __init__(
        self,
        split: Split,
        views: Sequence[View],
        *,
        batch_size: int,
        device: torch.device,
        seed: int | None = None,
    ) -> None:
        self._split = split
        self._views = [view.moved(device) for view in views[: None if seed is not None else 1]]
        self._device = device
        self._order = Order(num_images=len(split), batch_size=batch_size, seed=seed)
        first = torch.zeros(len(split), dtype=torch.int64)
        self._first = first if seed is None else first.random_(len(views), generator=generator_for(seed))

    @property
    def num_images(self) -> int:
        return len(self._split)

    def __len__(self) -> int:
        return len(self._order)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from step `start` on; `images` are features (N, ...)."""
        for positions in self._order.chunks(epoch, start):
            labels = to_device(self._split.labels[positions], self._device)
            yield Batch(self._features(positions, epoch), labels, labels)

    def pixels_at(self, positions: Tensor) -> np.ndarray:
        """The images at these positions of the split as they are stored, uint8 (n, H, W, C)."""
        return stored_pixels(self._split, positions)

    def select(self, positions: Tensor) -> FeatureBatches:
        """The images at these positions, in that order, for evaluation."""
        return FeatureBatches(
            self._split.select(positions),
            [self._views[0].select(positions)],
            batch_size=self._order.batch_size,
            device=self._device,
        )

    def _features(self, positions: Tensor, epoch: int) -> Tensor:
        if len(self._views) == 1:
            return to_device(self._views[0].take(positions), self._device)
        chosen = (self._first[positions] + epoch) % len(self._views)
        places = [(chosen == number).nonzero().squeeze(1) for number in range(len(self._views))]
        features = [
            to_device(view.take(positions[mine]), self._device) for view, mine in zip(self._views, places, strict=True)
        ]
        return torch.cat(features)[torch.cat(places).argsort().to(self._device)]


@dataclass(frozen=True, eq=False)
class FeatureLoaders:
    """The kept features of a run's splits."""

    train: FeatureBatches
    validation: FeatureBatches | None
    test: FeatureBatches | None

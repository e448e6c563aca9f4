"""Which images come together in which step: a pure function of seed and epoch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cnncore.data.augment import generator_for


@dataclass(frozen=True, kw_only=True)
class Order:
    """The steps of a split.

    A last batch of a single image joins the one before it: batch normalization cannot train on one image.

    Attributes:
        num_images: Images of the split.
        batch_size: Images a step.
        seed: For shuffling, anew in every epoch; None keeps the stored order.
    """

    num_images: int
    batch_size: int
    seed: int | None = None

    def __len__(self) -> int:
        """Steps in an epoch."""
        steps = -(-self.num_images // self.batch_size)
        joins = self.num_images % self.batch_size == 1 and self.batch_size > 1 and steps > 1
        return steps - 1 if joins else steps

    def positions(self, epoch: int) -> Tensor:
        """The images in the order of an epoch, int64 (N,)."""
        if self.seed is None:
            return torch.arange(self.num_images)
        return torch.randperm(self.num_images, generator=generator_for(self.seed, epoch))

    def chunks(self, epoch: int, start: int = 0, *, device: torch.device | str = "cpu") -> list[Tensor]:
        """The positions of each step of an epoch, from step `start` on, on a device."""
        positions, last = self.positions(epoch).to(device), len(self) - 1
        ends = [self.num_images if step == last else (step + 1) * self.batch_size for step in range(start, last + 1)]
        return [positions[step * self.batch_size : end] for step, end in enumerate(ends, start)]

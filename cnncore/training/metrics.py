"""What is measured: sums kept on the device while training, and the evaluation of a split."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cnncore.data import BatchSource
from cnncore.runs.events import Evaluating, Evaluation, Examples

NUM_EXAMPLES = 12
_COUNTED_AT_ONCE = 16
"""Batches, of which the logits have to be kept so long."""
_EXAMPLE_POOL = 300
_TOP = 5

Forward = Callable[[Tensor], Tensor]


class Sums:
    """Loss and hits summed over images, on the device until they are read.

    Batches are kept and counted some at a time: a dozen operations on a few numbers take longer than the counting.

    Args:
        values: What `totals` returned, to go on from there.
        count: Images that it covers.

    Attributes:
        count: Images so far.
    """

    def __init__(self, values: Tensor | None = None, count: int = 0) -> None:
        self.count = count
        self._values = torch.zeros(3, dtype=torch.float64) if values is None else values
        self._kept: list[tuple[Tensor, Tensor, Tensor]] = []

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: mean loss, logits `(N, K)`, labels `(N,)`."""
        self._kept.append((loss, logits, labels))
        self.count += len(labels)
        if len(self._kept) == _COUNTED_AT_ONCE:
            self.totals()

    def totals(self) -> Tensor:
        """`(3,)`: loss times images, right ones, right ones among the five most probable.

        In float64, on Apple's GPUs, which have none, in float32.
        """
        if self._kept:
            losses, logits, labels = zip(*self._kept, strict=True)
            self._kept.clear()
            wide = torch.float32 if losses[0].device.type == "mps" else torch.float64
            sizes = torch.tensor([len(batch) for batch in labels], dtype=wide)
            right = hits(torch.cat(logits), torch.cat(labels)).sum(dim=0)
            loss = torch.stack(losses).to(wide) @ sizes.to(losses[0].device)
            self._values = self._values.to(loss.device, wide) + torch.stack((loss, right[0], right.sum()))
        return self._values

    def means(self) -> tuple[float, float, float]:
        """Mean loss, accuracy and top-5 accuracy (0 to 1); NaN before the first image."""
        if not self.count:
            return math.nan, math.nan, math.nan
        loss, top1, top5 = (self.totals() / self.count).tolist()
        return loss, top1, top5


def hits(logits: Tensor, labels: Tensor) -> Tensor:
    """Which of the five most probable classes each label is, the most probable one first: bool `(N, 5)`."""
    return logits.topk(min(_TOP, logits.shape[1]), dim=1).indices == labels[:, None]


@torch.inference_mode()
def evaluate(
    forward: Forward, batches: BatchSource, *, split: str, num_classes: int
) -> Generator[Evaluating, None, Evaluation]:
    """Run a network over a split, without augmentation.

    Args:
        forward: Images `(N, C, H, W)`, or features of them, to logits `(N, K)`, in evaluation mode.
        batches: The split.
        split: Its name, for the events.
        num_classes: K.

    Returns:
        Loss (mean cross entropy, no label smoothing), hits and the confusion matrix.
    """
    sums = Sums()
    confusion = torch.zeros(num_classes * num_classes, dtype=torch.int64)
    for done, batch in enumerate(batches.epoch(0), start=1):
        logits = forward(batch.images).float()
        sums.add(functional.cross_entropy(logits, batch.labels), logits, batch.labels)
        cells = batch.labels * num_classes + logits.argmax(dim=1)
        confusion = confusion.to(cells.device) + torch.bincount(cells, minlength=num_classes * num_classes)
        yield Evaluating(split=split, done=done, total=len(batches))
    loss, _, _ = sums.means()
    _, correct, top5_correct = sums.totals().tolist() if sums.count else (0.0, 0.0, 0.0)
    return Evaluation(
        split=split,
        loss=loss,
        correct=round(correct),
        top5_correct=round(top5_correct),
        count=sums.count,
        confusion=confusion.cpu().numpy().reshape(num_classes, num_classes),
    )


def pick_examples(count: int) -> Tensor:
    """Indices of up to 300 images spread evenly over a split of `count` images, int64."""
    return torch.linspace(0, count - 1, min(count, _EXAMPLE_POOL)).round().long()


@torch.inference_mode()
def collect_examples(forward: Forward, batches: BatchSource) -> Examples:
    """A handful of images of `batches` with their predictions: half of them the most confident mistakes, if so many.

    Args:
        forward: Images to logits, in evaluation mode.
        batches: Images to choose from, see `pick_examples`.
    """
    pool = [(forward(batch.images).float().softmax(dim=1), batch.labels) for batch in batches.epoch(0)]
    probabilities = torch.cat([entry[0] for entry in pool])
    labels = torch.cat([entry[1] for entry in pool])
    confidence, predicted = probabilities.max(dim=1)
    wrong = (predicted != labels).nonzero().flatten()
    right = (predicted == labels).nonzero().flatten()
    wrong = wrong[confidence[wrong].argsort(descending=True, stable=True)]
    num_wrong = min(len(wrong), max(NUM_EXAMPLES // 2, NUM_EXAMPLES - len(right)))
    num_right = min(len(right), NUM_EXAMPLES - num_wrong)
    spread = torch.linspace(0, max(len(right) - 1, 0), num_right, device=right.device).round().long()
    chosen = torch.cat((wrong[:num_wrong], right[spread]))
    top = probabilities[chosen].topk(min(_TOP, probabilities.shape[1]), dim=1)
    return Examples(
        images=batches.pixels_at(chosen.cpu()),
        labels=labels[chosen].cpu().numpy(),
        top=top.indices.cpu().numpy(),
        probabilities=top.values.cpu().numpy().astype(np.float32),
    )

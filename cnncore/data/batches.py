"""Batches of a split, ready for the network: shuffled, augmented and normalized on the device."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from cnncore.config import AugmentConfig
from cnncore.data.augment import augment_bytes, augment_floats, generator_for, needs_floats
from cnncore.data.images import Files, Images, Split, to_device
from cnncore.data.order import Order
from cnncore.images.decode import decode_image

PREFETCHED_BATCHES = 3
"""Batches of a streamed split that are being decoded while one trains."""


class Batch(NamedTuple):
    """One step's images.

    Attributes:
        images: Normalized, (N, C, H, W) with channels last in memory.
        targets: Class indices int64 (N,), or probabilities float (N, K) where mixup or CutMix blended them.
        labels: The unmixed class indices, int64 (N,).
    """

    images: Tensor
    targets: Tensor
    labels: Tensor


class BatchSource(Protocol):
    """Batches of a split, epoch by epoch: of its images (`Batches`), or of what was made of them."""

    @property
    def num_images(self) -> int:
        """Images in an epoch."""
        ...

    def __len__(self) -> int:
        """Steps in an epoch."""
        ...

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from step `start` on."""
        ...

    def pixels_at(self, positions: Tensor) -> np.ndarray:
        """The images at these positions of the split as they are stored, uint8 (n, H, W, C)."""
        ...


class Normalization:
    """From bytes to what a network gets: (x / 255 - mean) / std, as one multiplication and one addition.

    Args:
        mean: Per channel on the scale from 0 to 1.
        std: Likewise.
        device: Where the images are.
        dtype: Type of the result.
    """

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], *, device: torch.device, dtype: torch.dtype
    ) -> None:
        deviation = torch.tensor(std, dtype=torch.float64)
        self._scale = (1 / (255 * deviation)).float().to(device)
        self._shift = (-torch.tensor(mean, dtype=torch.float64) / deviation).float().to(device)
        self._dtype = dtype

    def __call__(self, pixels: Tensor, factor: float = 1) -> Tensor:
        """(N, H, W, C), times `factor` from 0 to 255, as normalized (N, C, H, W) with channels last in memory."""
        num, height, width, channels = pixels.shape
        # Whole rows of a picture at once: with only 1 or 3 values in the innermost axis it takes several times longer.
        rows = pixels.reshape(num, height, width * channels)
        images = torch.addcmul(self._shift.repeat(width), rows, self._scale.repeat(width), value=factor)
        return images.to(self._dtype).view(num, height, width, channels).permute(0, 3, 1, 2)


class Batches:
    """The batches of a split, epoch by epoch.

    With a seed the images are shuffled: the order is a pure function of (seed, epoch) and every augmentation of
    (seed, epoch, step), so a resumed run needs no saved state. Without one they come in stored order and unchanged.

    Args:
        split: Resident or streamed images.
        batch_size: Images a step.
        device: Where the batches are wanted; a resident split that fits in a quarter of a GPU's free memory moves
            there once.
        dtype: Type of the images.
        mean: Per channel on the scale from 0 to 1, subtracted.
        std: Per channel, divided by.
        num_classes: K of mixed targets.
        seed: For shuffling and augmentation; None for evaluation.
        augment: Strengths; ignored without a seed.
    """

    def __init__(
        self,
        split: Split,
        *,
        batch_size: int,
        device: torch.device | str,
        dtype: torch.dtype,
        mean: Sequence[float],
        std: Sequence[float],
        num_classes: int,
        seed: int | None = None,
        augment: AugmentConfig | None = None,
    ) -> None:
        self._device = torch.device(device)
        self._split = _moved(split, self._device) if isinstance(split, Images) else split
        self._order = Order(num_images=len(split), batch_size=batch_size, seed=seed)
        self._num_classes = num_classes
        self._seed = seed
        self._augment = augment if augment and augment.active and seed is not None else None
        self._normalized = Normalization(mean, std, device=self._device, dtype=dtype)

    @property
    def num_images(self) -> int:
        return len(self._split)

    def pixels_at(self, positions: Tensor) -> np.ndarray:
        """The images at these positions of the split as they are stored, uint8 (n, H, W, C)."""
        return stored_pixels(self._split, positions)

    def __len__(self) -> int:
        return len(self._order)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from step `start` on, the same as if it had been iterated from 0."""
        chunks = self._order.chunks(epoch, start, device=self._split.labels.device)
        for step, (pixels, positions) in enumerate(zip(pixels_of(self._split, chunks), chunks, strict=True), start):
            labels = to_device(self._split.labels[positions], self._device)
            yield self._batch(to_device(pixels, self._device), labels, epoch, step)

    def _batch(self, pixels: Tensor, labels: Tensor, epoch: int, step: int) -> Batch:
        """From bytes (N, H, W, C) to what the network gets."""
        if self._augment is None or self._seed is None:
            return Batch(self._normalized(pixels), labels, labels)
        generator = generator_for(self._seed, epoch, step)
        images = augment_bytes(pixels.permute(0, 3, 1, 2), self._augment, generator)
        if not needs_floats(self._augment):
            return Batch(self._normalized(images.permute(0, 2, 3, 1)), labels, labels)
        images, targets = augment_floats(images.float().div_(255), labels, self._augment, self._num_classes, generator)
        return Batch(self._normalized(images.permute(0, 2, 3, 1), 255), targets, labels)


def _moved(split: Images, device: torch.device) -> Images:
    if device.type != "cuda":
        return split
    num_bytes = len(split) * int(np.prod(split.stored.shape[1:]))
    free, _ = torch.cuda.mem_get_info(device)
    return split.to(device) if num_bytes <= free / 4 else split


def stored_pixels(split: Split, positions: Tensor) -> np.ndarray:
    """The images at these positions of a split as they are stored, uint8 (n, H, W, C)."""
    if isinstance(split, Files):
        return np.stack([decode_image(split.path(position), split.preprocessing) for position in positions.tolist()])
    return split.take(positions.to(split.labels.device)).cpu().numpy()


def pixels_of(split: Split, chunks: Sequence[Tensor]) -> Iterator[Tensor]:
    """The stored pixels of the images at each chunk of positions, uint8 (n, H, W, C); files are decoded ahead."""
    return _stream(split, chunks) if isinstance(split, Files) else map(split.take, chunks)


def _stream(split: Files, chunks: Sequence[Tensor]) -> Iterator[Tensor]:
    """Decode batch after batch, ahead of their use, on threads: Pillow's decoders let go of the interpreter."""
    waiting: deque[list[Future[np.ndarray]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for chunk in chunks:
                paths = [split.path(position) for position in chunk.tolist()]
                waiting.append([pool.submit(decode_image, path, split.preprocessing) for path in paths])
                if len(waiting) > PREFETCHED_BATCHES:
                    yield _joined(waiting.popleft())
            while waiting:
                yield _joined(waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _joined(images: Sequence[Future[np.ndarray]]) -> Tensor:
    return torch.from_numpy(np.stack([image.result() for image in images]))

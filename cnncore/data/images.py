"""What a data set is once it is open: splits that are resident or streamed, and the facts a run needs of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cnncore.images.preprocessing import Preprocessing

Progress = Callable[[str, int, int], None]
"""Told what is going on in plain words, how much is done, and of how much in all (bytes or images; 0 is unknown)."""


def to_device(values: Tensor, device: torch.device) -> Tensor:
    """The values on a device.

    CUDA copies memory aside before it goes on in the background. Apple's GPUs would read it later, when it may be freed
    and overwritten (pytorch/pytorch#139550, #189690), so they are waited for.
    """
    return values.to(device, non_blocking=device.type == "cuda")


class Images:
    """A resident split: pixels backed by the memory-mapped cache file, and labels.

    A selection shares the pixels of the split it was taken from and holds row numbers only.

    Attributes:
        stored: Pixels of the split this one was taken from, uint8 (M, H, W, C).
        rows: Which of them belong to this split, int64 (N,); None for all, in order.
        labels: Class indices, int64 (N,).
    """

    def __init__(self, pixels: Tensor, labels: Tensor, rows: Tensor | None = None) -> None:
        assert pixels.dtype == torch.uint8
        assert pixels.ndim == 4
        assert len(labels) == len(pixels if rows is None else rows)
        self.stored = pixels
        self.rows = rows
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def pixels(self) -> Tensor:
        """uint8 (N, H, W, C); copied together on each access where this is a selection (`take` gets only some)."""
        return self.stored if self.rows is None else self.take(torch.arange(len(self)))

    def take(self, positions: Tensor) -> Tensor:
        """Pixels of the images at these positions of the split, uint8 (n, H, W, C), on the device of `stored`."""
        rows = positions if self.rows is None else self.rows[positions]
        # A flat row is one copy of contiguous bytes; selecting from four dimensions is many times slower.
        flat = self.stored.view(len(self.stored), -1).index_select(0, rows)
        return flat.view(-1, *self.stored.shape[1:])

    def select(self, indices: Tensor) -> Images:
        """The images at `indices`, in that order; no pixel is copied."""
        rows = indices if self.rows is None else self.rows[indices]
        return Images(self.stored, self.labels[indices], rows)

    def to(self, device: torch.device) -> Images:
        """This split on a device; a selection moves only its own pixels."""
        return Images(self.pixels.to(device), self.labels.to(device))


class Files:
    """A streamed split of an image folder or an image set, too large for memory: files are decoded when needed.

    Attributes:
        root: Folder the names are relative to.
        names: One file each, (N,) array of strings with `/` between folders.
        labels: Class indices, int64 (N,).
        preprocessing: What the images are resized and cropped to.
    """

    def __init__(self, root: Path, names: np.ndarray, labels: Tensor, preprocessing: Preprocessing) -> None:
        assert len(names) == len(labels)
        self.root = root
        self.names = names
        self.labels = labels
        self.preprocessing = preprocessing

    def __len__(self) -> int:
        return len(self.labels)

    def path(self, position: int) -> Path:
        return self.root / str(self.names[position])

    def select(self, indices: Tensor) -> Files:
        """The images at `indices`, in that order."""
        return Files(self.root, self.names[indices.numpy()], self.labels[indices], self.preprocessing)


Split = Images | Files


@dataclass(frozen=True, eq=False, kw_only=True)
class ImageData:
    """An open data set, divided.

    Attributes:
        in_shape: Channels, height and width as stored.
        mean: Per channel on the scale from 0 to 1, of the chosen training images, or what `data.normalize` fixes.
        std: Likewise the standard deviation.
        split_note: One sentence on where the validation images come from.
        fingerprint: Hash of the content and of the images chosen: equal where a run sees the same images.
        names: What each image of a split is called, in the split's order, (N,) array of strings: the record's key in an
            image set, the file below the root in a folder; None where images have no names.
    """

    train: Split
    validation: Split | None
    test: Split | None
    classes: tuple[str, ...]
    in_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    split_note: str
    fingerprint: str
    names: Mapping[str, np.ndarray] | None = None

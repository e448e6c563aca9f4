"""What the form shows of a data set: a few images of each class, how many there are, and what augmentation does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cnncore.config import AugmentConfig, DataConfig
from cnncore.data.augment import augment_batch, generator_for
from cnncore.data.folder import decode_files
from cnncore.data.images import Files, ImageData, Images, Split
from cnncore.data.opening import open_images


@dataclass(frozen=True, eq=False, kw_only=True)
class Samples:
    """A data set at a glance.

    Attributes:
        images: uint8 (N, H, W, C), class by class.
        labels: Class of each, int64 (N,).
        classes: Names of the classes.
        num_images: Images by split; 0 where there is no such split.
        train_counts: Training images of each class, int64 (K,).
        split_note: Where the validation images come from.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    num_images: dict[str, int]
    train_counts: np.ndarray
    split_note: str


def samples(config: DataConfig, root: Path, *, per_class: int = 1, max_images: int = 20) -> Samples:
    """Training images of each class, the first ones chosen, and the numbers of the data set.

    Args:
        config: Data set and its division.
        root: Data folder; nothing is downloaded.
        per_class: Images of each class.
        max_images: Images in all; with many classes the first of them are shown.

    Raises:
        LabError: as `open_images` does, and where the data set is not at hand.
    """
    data = open_images(config, root, download=False)
    positions = _first_of_each(data, per_class)[:max_images]
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    return Samples(
        images=_pixels(data.train, positions).numpy(),
        labels=data.train.labels[positions].numpy(),
        classes=data.classes,
        num_images={name: len(split) if split is not None else 0 for name, split in splits.items()},
        train_counts=torch.bincount(data.train.labels, minlength=len(data.classes)).numpy(),
        split_note=data.split_note,
    )


def preview(
    config: DataConfig, augment: AugmentConfig, root: Path, *, num_images: int = 6, num_draws: int = 4, seed: int = 0
) -> np.ndarray:
    """The same training images unchanged and as augmentation changes them.

    Args:
        config: Data set and its division.
        augment: Strengths.
        root: Data folder; nothing is downloaded.
        num_images: Images, of as many classes as possible.
        num_draws: How often each is changed.
        seed: Another seed draws other changes of the same images.

    Returns:
        uint8 (num_images, 1 + num_draws, H, W, C); the first of each is the unchanged one. Fewer images where the
        data set has fewer.

    Raises:
        LabError: as `open_images` does, and where the data set is not at hand.
    """
    data = open_images(config, root, download=False)
    each = -(-num_images // len(data.classes))
    positions = _first_of_each(data, each)[:num_images]
    pixels = _pixels(data.train, positions)
    labels = data.train.labels[positions]
    images = pixels.permute(0, 3, 1, 2).float() / 255
    versions = [pixels]
    for draw in range(num_draws):
        changed, _ = augment_batch(images, labels, augment, len(data.classes), generator_for(seed, draw))
        versions.append((changed * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1))
    return torch.stack(versions, dim=1).numpy()


def _first_of_each(data: ImageData, number: int) -> Tensor:
    """Positions of the first training images of each class: all first ones, then all second ones, and so on."""
    labels = data.train.labels.numpy()
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels, minlength=len(data.classes))
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    early = rank < number
    return torch.from_numpy(order[early][np.argsort(rank[early], kind="stable")])


def _pixels(split: Split, positions: Tensor) -> Tensor:
    if isinstance(split, Images):
        return split.take(positions)
    assert isinstance(split, Files)
    paths = [split.path(position) for position in positions.tolist()]
    return torch.from_numpy(decode_files(paths, split.preprocessing, lambda what, done, total: None))

"""Which images train, validate and test: stratified, reproducible by seed, never overlapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_SPARE_VALIDATION = 1_000
"""Where images are left over, at least this many of them validate: they cost no training image."""


@dataclass(frozen=True, eq=False)
class Division:
    """Positions of the chosen images, sorted; `note` is one sentence on where the validation images come from."""

    train: np.ndarray
    validation: np.ndarray | None
    note: str


def _quota(counts: np.ndarray, total: int) -> np.ndarray:
    """How many of each class make `total` in proportion to `counts`: largest remainders, no class left out if possible.

    Args:
        counts: Images there are of each class, int64 (K,).
        total: Images wanted, at most the sum of `counts`.
    """
    exact = counts * (total / max(1, counts.sum()))
    quota = np.minimum(np.floor(exact).astype(np.int64), counts)
    by_remainder = np.argsort(-(exact - quota), kind="stable")
    while (rest := total - quota.sum()) > 0:
        open_classes = by_remainder[quota[by_remainder] < counts[by_remainder]]
        quota[open_classes[:rest]] += 1
    left_out = np.flatnonzero((quota == 0) & (counts > 0))
    if total >= np.count_nonzero(counts):
        for index in left_out:
            quota[quota.argmax()] -= 1
            quota[index] = 1
    return quota


def _by_class(labels: np.ndarray, num_classes: int, seed: int) -> list[np.ndarray]:
    """Positions of each class's images in a random order."""
    # RandomState, not default_rng: numpy promises that its numbers never change.
    shuffled = np.random.RandomState(seed).permutation(len(labels))
    ordered = shuffled[np.argsort(labels[shuffled], kind="stable")]
    ends = np.cumsum(np.bincount(labels, minlength=num_classes))
    return np.split(ordered, ends[:-1])


def stratified_parts(labels: np.ndarray, sizes: Sequence[int], seed: int) -> list[np.ndarray]:
    """Disjoint stratified selections of the given sizes, each sorted.

    Args:
        labels: Class indices, int64 (N,).
        sizes: How many images each part gets; at most N together.
        seed: The same seed gives the same parts on every machine.
    """
    classes = _by_class(labels, int(labels.max()) + 1, seed)
    start = np.zeros(len(classes), np.int64)
    left = np.array([len(members) for members in classes])
    parts: list[np.ndarray] = []
    for size in sizes:
        quota = _quota(left, size)
        chosen = [members[a : a + n] for members, a, n in zip(classes, start, quota, strict=True)]
        parts.append(np.sort(np.concatenate(chosen)))
        start, left = start + quota, left - quota
    return parts


def divide(labels: np.ndarray, num_classes: int, *, num_train: int | None, share: float, seed: int) -> Division:
    """Choose training and validation images from a pool that has no validation images of its own.

    With fewer training images than there are, `validation` comes from the others: the share of the number that trains,
    but at least `MIN_SPARE_VALIDATION`, as far as there are so many. Else the share is taken from the pool, and the
    rest trains; every class keeps at least one training image. In each class training takes from the front and
    validation from the back of one random order, so that more training images contain fewer, and validation stays.

    Args:
        labels: Class indices of the pool, int64 (N,).
        num_classes: Number of classes, also of those without an image here.
        num_train: Training images wanted, from 1 to N; None for all.
        share: `data.validation`, from 0 to 0.5.
        seed: `data.seed`.
    """
    classes = _by_class(labels, num_classes, seed)
    counts = np.array([len(members) for members in classes])
    wanted = num_train or len(labels)
    spare = len(labels) - wanted
    if spare:
        train = _quota(counts, wanted)
        validation = _quota(counts - train, min(spare, max(round(share * wanted), MIN_SPARE_VALIDATION)))
        note = f"Validation: {validation.sum():,} images that were not chosen for training."
    else:
        validation = np.minimum(_quota(counts, round(share * len(labels))), np.maximum(counts - 1, 0))
        train = counts - validation
        note = f"Validation: {validation.sum():,} images set aside, {100 * share:.0f} % of each class."
    if not validation.sum():
        return Division(np.sort(_fronts(classes, train)), None, "No validation images: all of them train.")
    return Division(np.sort(_fronts(classes, train)), np.sort(_backs(classes, validation)), note)


def choose(labels: np.ndarray, num_classes: int, *, num_train: int | None, seed: int) -> np.ndarray:
    """Positions of the training images, sorted, where the data set has validation images of its own."""
    classes = _by_class(labels, num_classes, seed)
    counts = np.array([len(members) for members in classes])
    return np.sort(_fronts(classes, _quota(counts, num_train or len(labels))))


def _fronts(classes: list[np.ndarray], quota: np.ndarray) -> np.ndarray:
    return np.concatenate([members[:n] for members, n in zip(classes, quota, strict=True)])


def _backs(classes: list[np.ndarray], quota: np.ndarray) -> np.ndarray:
    return np.concatenate([members[len(members) - n :] for members, n in zip(classes, quota, strict=True)])

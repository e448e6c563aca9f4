"""The 1-nearest-neighbor classifier: an image is taken for what the known image most like it is (no training)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


def nearest(images: Array, known: Array) -> Labels:
    """For each image (N, D) the place of the one in `known` (M, D) with the least squared difference, (N,)."""
    # The images' own squares are the same for all of `known`.
    apart = (known**2).sum(axis=1) - 2 * images @ known.T
    return apart.argmin(axis=1)


def confusion_counts(images: Array, labels: Labels, known: Array, known_labels: Labels, num_classes: int) -> Labels:
    """How many images (N, D) of each class are most like one of `known` of each class, (K, K): row is the truth."""
    found = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(found, (labels, known_labels[nearest(images, known)]), 1)
    return found

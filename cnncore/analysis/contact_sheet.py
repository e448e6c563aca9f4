"""Some images of a split in small, to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.analysis.subjects import Pixels, pixels_at, smaller, split_of
from cnncore.data import ImageData

MOST = 48
"""Images of one sheet."""
SIDE = 96
"""Pixels of the longer side."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ContactSheet:
    """N images of a split.

    Attributes:
        places: Their positions in the split, int64 (N,).
        labels: Their classes, int64 (N,).
        names: What the data set calls them; their positions where it has no names.
        pictures: uint8 (H, W, C) each.
        total: How many images there are to choose from.
    """

    places: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    names: tuple[str, ...]
    pictures: tuple[Pixels, ...]
    total: int


def contact_sheet(
    images: ImageData,
    split: str,
    *,
    label: int = -1,
    places: Sequence[int] = (),
    first: int = 0,
    count: int = 12,
    seed: int = 0,
) -> ContactSheet:
    """Images of a split.

    Args:
        images: An open data set.
        split: train, validation or test.
        label: Their class; all of them if -1.
        places: Exactly these positions, where any are given; those that do not exist are left out.
        first: How many are left out at the beginning.
        count: Most images.
        seed: Of a random order; 0 leaves the order as it is.

    Raises:
        DataError: if the data set has no such split.
    """
    found = split_of(images, split)
    labels = found.labels.numpy()
    if places:
        fitting = np.array([place for place in places if 0 <= place < len(found)], np.int64)
    else:
        fitting = np.flatnonzero(labels == label) if label >= 0 else np.arange(len(found))
        fitting = np.random.default_rng(seed).permutation(fitting) if seed else fitting
    shown = fitting[first : first + min(count, MOST)]
    known = (images.names or {}).get(split)
    return ContactSheet(
        places=shown,
        labels=labels[shown],
        names=tuple(str(place) if known is None else str(known[place]) for place in shown),
        pictures=tuple(smaller(pixels_at(images, split, int(place))[0], SIDE) for place in shown),
        total=len(fitting),
    )

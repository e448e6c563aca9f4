"""Makes sample image sets of data at hand, to try transfer learning without images of one's own."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cnncore.catalog.sample_sets import SAMPLE_SETS, SampleSetSpec, sample_sets_at_hand
from cnncore.config import DataConfig
from cnncore.data.images import Images
from cnncore.data.opening import open_images
from cnncore.errors import DataError, lookup
from cnncore.images.image_set import ImageSet
from cnncore.images.intake import Incoming, add_images
from cnncore.images.store import ImageSets

SEED = 0
"""Of the choice of images: a sample set is the same everywhere."""


def make_sample_set(key: str, root: Path, sets: ImageSets, owner: str = "") -> ImageSet:
    """A new image set with training images of a data set.

    Args:
        key: A key of `SAMPLE_SETS`.
        root: Data folder; nothing is downloaded.
        sets: Where the set is made.
        owner: Whose it is.

    Raises:
        LabError: where there is no such sample set, or its data set is not at hand.
    """
    spec = lookup(SAMPLE_SETS, key, "sample set")
    if key not in sample_sets_at_hand(root):
        raise DataError(
            f"The images of “{spec.title}” are not here: they are taken from the data set {spec.dataset}.",
            f"Put it into the data folder, or take one of: {', '.join(sample_sets_at_hand(root)) or 'none is here'}.",
        )
    incoming = _incoming(spec, root)
    made = sets.create(spec.title, owner)
    try:
        add_images(sets, made.id, [incoming])
    except BaseException:
        sets.delete(made.id)
        raise
    return sets.get(made.id)


def _incoming(spec: SampleSetSpec, root: Path) -> Incoming:
    data = open_images(DataConfig(dataset=spec.dataset, validation=0.0), root, download=False)
    assert isinstance(data.train, Images)
    labels = data.train.labels.numpy()
    # RandomState, not default_rng: numpy promises that its numbers never change.
    order = np.random.RandomState(SEED).permutation(len(labels))
    packed = io.BytesIO()
    # One ZIP instead of hundreds of files: staging those takes longer than all the rest.
    with zipfile.ZipFile(packed, "w") as archive:
        for name, label in spec.classes.items():
            chosen = order[labels[order] == data.classes.index(name)][: spec.per_class]
            for number, image in enumerate(data.train.take(torch.from_numpy(chosen)).numpy(), start=1):
                archive.writestr(f"{label}/{label}-{number:03}.png", _png(image))
    return Incoming(name=f"{spec.title}.zip", content=packed.getvalue())


def _png(pixels: np.ndarray) -> bytes:
    """An image (H, W, C) as a file."""
    stream = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return stream.getvalue()

"""An image set of this lab as a data set: exactly the version that `data.image_set` names, divided as it is there."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnncore.catalog.presence import CACHE_SUFFIX, cache_dir
from cnncore.data.folder import RESIDENT_BYTES, Listing, decode_listings, resampling_tag, stream_listings
from cnncore.data.sources import Request, Source
from cnncore.errors import DataError
from cnncore.images.image_set import SPLITS, ImageRecord, ImageSet
from cnncore.images.preprocessing import preprocessing_of
from cnncore.images.store import ImageSets, open_sets

_CACHED = "images-"
MOST_NAMED = 5
"""Classes that a message lists."""


def read_image_set(request: Request) -> Source:
    """The image set of `data.image_set`; excluded images are left out, and names are the keys of the records.

    Raises:
        DataError: where there is no such version, or it cannot be learned from.
    """
    if not request.config.image_set:
        raise DataError("No image set was chosen.", "Make one on the Transfer page, or choose one.")
    sets = open_sets(request.root)
    _forget_gone(request.root, sets)
    image_set = sets.at(request.config.image_set)
    check_classes(image_set)
    parts = {split: records for split in SPLITS if (records := image_set.included(split))}
    listings = {split: _listing(image_set, records) for split, records in parts.items()}
    preprocessing = preprocessing_of(request.config)
    tag = resampling_tag(preprocessing)
    content = "".join(f"{split}={listing.digest}" for split, listing in listings.items())
    root = sets.set_folder(image_set.id) / "images"
    streams = len(image_set.included()) * preprocessing.size**2 * 3 > RESIDENT_BYTES
    return Source(
        name=f"{_CACHED}{image_set.id}{tag and f'-{tag}'}",
        fingerprint=hashlib.sha256(f"{image_set.classes}{content}{tag}".encode()).hexdigest(),
        decode=lambda: decode_listings(root, image_set.classes, listings, preprocessing, request.progress),
        streamed=stream_listings(root, listings, preprocessing) if streams else None,
        classes=image_set.classes,
        names={split: np.array([str(record.key) for record in records]) for split, records in parts.items()},
    )


def _forget_gone(root: Path, sets: ImageSets) -> None:
    """Remove what was decoded of sets that are no longer on the disk."""
    for path in cache_dir(root).glob(f"{_CACHED}*{CACHE_SUFFIX}"):
        set_id = path.name.removeprefix(_CACHED).partition("-")[0]
        if not (sets.folder / set_id).exists():
            # A folder of data may be there to be read only.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def check_classes(image_set: ImageSet) -> None:
    """Refuse a set that no network could learn from and be checked on.

    Raises:
        DataError: naming what is missing.
    """
    images = Counter(record.label for record in image_set.included())
    training = Counter(record.label for record in image_set.included("train"))
    if len(image_set.classes) < 2:
        held = f"only one class, {image_set.classes[0]}" if image_set.classes else "no classes"
        raise DataError(f"The image set “{image_set.name}” has {held}; at least two are needed.", "Add another class.")
    rules = (
        ([name for name in image_set.classes if not images[name]], "no image", "Add images, or remove the class."),
        (
            [name for name in image_set.classes if images[name] == 1],
            "only one image, but one to train and one to validate are needed",
            "Add more images, or remove the class.",
        ),
        (
            [name for name in image_set.classes if not training[name]],
            "no training image",
            "Divide the set anew, or move images to train.",
        ),
    )
    for names, what, hint in rules:
        if names:
            raise DataError(f"{_listed(names)} {'has' if len(names) == 1 else 'have'} {what}.", hint)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{'The class' if len(names) == 1 else 'The classes'} {shown}{more}"


def _listing(image_set: ImageSet, records: Sequence[ImageRecord]) -> Listing:
    index = {name: number for number, name in enumerate(image_set.classes)}
    content = "".join(f"{record.file}={record.label}\n" for record in records)
    return Listing(
        names=np.array([record.file for record in records]),
        labels=np.array([index[record.label] for record in records], np.int64),
        digest=hashlib.sha256(content.encode()).hexdigest(),
    )

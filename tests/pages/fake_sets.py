"""Image sets without uploads, for tests of the pages that come after the images."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image

from cnncore.images.edits import AddImages
from cnncore.images.image_set import ImageRecord, ImageSet
from cnncore.images.store import open_sets


def make_set(root: Path, *, classes: tuple[str, ...] = ("cats", "dogs"), per_class: int = 6) -> ImageSet:
    """A set of plain pictures below the data folder `root`, every third one for validation."""
    sets = open_sets(root)
    image_set = sets.create("Cats and dogs")
    folder = sets.folder / image_set.id / "images"
    folder.mkdir(parents=True, exist_ok=True)
    records: list[ImageRecord] = []
    for number in range(per_class * len(classes)):
        file = f"{hashlib.md5(str(number).encode()).hexdigest()}.png"
        Image.new("RGB", (32, 24), (number * 5 % 255, 90, 200)).save(folder / file)
        records.append(
            ImageRecord(
                key=number,
                file=file,
                name=f"{number}.png",
                label=classes[number % len(classes)],
                width=32,
                height=24,
                num_bytes=1_000,
                split="validation" if number % 3 == 0 else "train",
                group=number,
            )
        )
    return sets.apply(image_set.id, AddImages(images=tuple(records)))

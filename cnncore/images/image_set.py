"""What an image set is at one version: its classes and the record of every image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class ImageRecord:
    """One image of a set.

    Attributes:
        key: Number of the image in its set; it never changes and is never used again.
        file: Name of the stored file, made of the hash of its pixels; equal where images are exact duplicates.
        name: What the person's file was called, shortened; for showing only.
        label: Its class.
        width: Pixels of the original, upright.
        height: Likewise.
        num_bytes: Size of the original file.
        split: Where it belongs.
        excluded: Whether it is left out for now.
        group: Smallest key among its near duplicates, its own key where it has none; a group never straddles splits.
        digest: Perceptual description that near duplicates are found by, base64.
    """

    key: int
    file: str
    name: str
    label: str
    width: int
    height: int
    num_bytes: int
    split: SplitName = "train"
    excluded: bool = False
    group: int = -1
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class Division:
    """How images are divided: shares of validation and test, and the seed."""

    validation: float = 0.2
    test: float = 0.0
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """An image set at one version.

    Attributes:
        id: Twelve hexadecimal digits.
        version: Counts the edits, from 0 for an empty set.
        classes: Names in the order in which they were added; empty classes are among them.
        images: Every image by its key, excluded ones too.
        next_key: The key that the next image gets; larger than any that was ever used, undone ones too.
    """

    id: str
    name: str
    owner: str
    version: int
    created: float
    classes: tuple[str, ...] = ()
    images: Mapping[int, ImageRecord] = field(default_factory=dict[int, ImageRecord])
    division: Division = field(default_factory=Division)
    next_key: int = 0

    @property
    def reference(self) -> str:
        """What `data.image_set` takes: id@version."""
        return f"{self.id}@{self.version}"

    def included(self, split: SplitName | None = None) -> tuple[ImageRecord, ...]:
        """The images that are not excluded, of one split if given, by key."""
        return tuple(
            record for _, record in sorted(self.images.items()) if not record.excluded and split in (None, record.split)
        )

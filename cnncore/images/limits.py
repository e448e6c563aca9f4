"""How much of other people's files is taken: limits that whoever runs the lab sets in the environment."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from cnncore.errors import ConfigError, DataError

MAX_CLASSES = 200
"""Classes of one image set."""
SPARE_BYTES = 200_000_000
"""Bytes that stay free on the disk of the image sets: runs and the store need them too."""
LONGEST_SIDE = 512
"""Pixels of the longer side that stored pictures are reduced to."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits, each a setting of its own.

    Attributes:
        set_images: Images of one set, excluded ones too.
        image_mb: Megabytes of one picture's file.
        megapixels: Millions of pixels of one picture.
        upload_mb: Megabytes that a browser sends at once.
        archive_files: Entries of one ZIP, or files of one folder.
        archive_mb: Megabytes of one ZIP once it is unpacked.
    """

    set_images: int = 10_000
    image_mb: int = 25
    megapixels: int = 50
    upload_mb: int = 500
    archive_files: int = 100_000
    archive_mb: int = 20_000

    @property
    def pixels(self) -> int:
        return self.megapixels * 1_000_000

    @property
    def image_bytes(self) -> int:
        return self.image_mb * 1_000_000

    @property
    def upload_bytes(self) -> int:
        return self.upload_mb * 1_000_000

    @property
    def archive_bytes(self) -> int:
        return self.archive_mb * 1_000_000


SETTINGS = {
    "CNNLAB_MAX_SET_IMAGES": ("set_images", 1_000_000),
    "CNNLAB_MAX_IMAGE_MB": ("image_mb", 1_000),
    "CNNLAB_MAX_MEGAPIXELS": ("megapixels", 89),  # above that Pillow itself suspects a bomb
    "CNNLAB_MAX_UPLOAD_MB": ("upload_mb", 100_000),
    "CNNLAB_MAX_ARCHIVE_FILES": ("archive_files", 1_000_000),
    "CNNLAB_MAX_ARCHIVE_MB": ("archive_mb", 1_000_000),
}
"""Environment variable -> the limit it sets, and the largest value it may have."""


def limits() -> Limits:
    """The limits as the environment sets them now.

    Raises:
        ConfigError: naming a variable whose value is no number in its range.
    """
    values: dict[str, int] = {}
    for name, (field, largest) in SETTINGS.items():
        text = os.environ.get(name, "").strip()
        if not text:
            continue
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= largest):
            raise ConfigError(
                name, f"{name} is {text[:40]!r}, not a limit.", f"Allowed: whole numbers from 1 to {largest:,}."
            )
        values[field] = int(text)
    return Limits(**values)


def check_room(folder: Path) -> None:
    """Refuse to take more in where the disk is nearly full.

    Args:
        folder: A folder that is there, on the disk in question.

    Raises:
        DataError: saying how much is free.
    """
    free = shutil.disk_usage(folder).free
    if free < SPARE_BYTES:
        raise DataError(
            f"Only {free / 1e6:,.0f} MB are free on the lab's disk; {SPARE_BYTES / 1e6:,.0f} MB must stay free.",
            "Make room for it, then add the pictures.",
        )

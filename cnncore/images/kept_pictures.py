"""Pictures that a person gave to look at: decoded, turned upright, kept as PNG under the hash of their pixels.

A link to one stays good as long as the picture is kept: those that were not looked at for longest go first.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from PIL import Image

from cnncore.errors import DataError
from cnncore.images.decode import open_rgb
from cnncore.images.limits import check_room, limits
from cnncore.images.store import replace_file

KEPT_BYTES = 256 << 20
"""What they may take together."""
LONGEST_SIDE = 1_024
"""Pixels; larger pictures are made smaller."""
_FOLDER = "pictures"
_UNFINISHED, _UNFINISHED_S = ".tmp", 3_600.0
_NAME = re.compile(r"[0-9a-f]{32}")


def keep_picture(artifacts: Path, content: bytes, name: str) -> str:
    """Keep a picture; returns the name it is kept under, the same for the same pixels.

    Args:
        artifacts: Folder of the artifacts.
        content: A file from outside; it may be hostile.
        name: How a person calls it.

    Raises:
        DataError: where it is no picture, too large, or cannot be stored.
    """
    allowed = limits()
    if len(content) > allowed.image_bytes:
        raise DataError(
            f"The image {name} has {len(content) / 1e6:,.1f} MB; at most {allowed.image_mb:,} are read.",
            "Save it smaller.",
        )
    image = open_rgb(io.BytesIO(content), name=name, at_least=LONGEST_SIDE, max_pixels=allowed.pixels)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    kept = hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()[:32]
    folder = artifacts / _FOLDER
    path = folder / f"{kept}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            os.utime(path)
        except FileNotFoundError:
            check_room(folder)
            replace_file(path, _png(image))
            _shrink(folder)
    except OSError as error:
        raise DataError(
            f"The picture cannot be stored ({error.strerror or type(error).__name__}).", "Make room on the lab's disk."
        ) from error
    return kept


def kept_picture(artifacts: Path, kept: str) -> Path:
    """The file of a kept picture.

    Raises:
        DataError: where there is none (any more).
    """
    path = artifacts / _FOLDER / f"{kept}.png"
    if not _NAME.fullmatch(kept) or not path.is_file():
        raise DataError("This picture is not kept any more.", "Give it once more.")
    with suppress(OSError):
        os.utime(path)
    return path


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()


def _shrink(folder: Path) -> None:
    """Remove what was not looked at for longest, and what a process left that was killed while it wrote."""
    total = 0
    for path, facts in sorted(_facts(folder), key=lambda one: -one[1].st_mtime):
        total += facts.st_size
        forgotten = path.suffix == _UNFINISHED and time.time() - facts.st_mtime > _UNFINISHED_S
        if total > KEPT_BYTES or forgotten:
            path.unlink(missing_ok=True)


def _facts(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another session may be tidying up as well
            yield path, path.stat()

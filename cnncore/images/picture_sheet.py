"""Many small pictures as one, so that a browser gets them at once and cuts out the one it shows."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

MAX_BYTES = 1_500_000
_QUALITIES = (90, 80, 65, 45, 25)
_BLOCK = 8
"""Pixels of a JPEG that are coded together."""


@dataclass(frozen=True, kw_only=True)
class PictureSheet:
    """Pictures in rows, the first one at the top left.

    Attributes:
        content: A PNG or JPEG file.
        columns: Pictures of a row.
        rows: Number of rows.
        cell: Pixels from one picture to the next.
        side: Height and width of a picture, at the top left of its cell.
    """

    content: bytes
    columns: int
    rows: int
    cell: int
    side: int


def sheet_of(pictures: npt.NDArray[np.uint8], max_bytes: int = MAX_BYTES) -> PictureSheet:
    """A sheet of at least one square picture, uint8 (N, s, s, C): gray ones exactly, colors as a JPEG.

    Args:
        pictures: With 1 channel or 3.
        max_bytes: Above it the quality of a JPEG is lowered, as far as that goes.
    """
    count, side, _, channels = pictures.shape
    cell = side if channels == 1 else math.ceil(side / _BLOCK) * _BLOCK
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    # What fills a cell up is like the picture's edge, or its colors would bleed.
    padded = np.pad(pictures, ((0, rows * columns - count), (0, cell - side), (0, cell - side), (0, 0)), mode="edge")
    grid = padded.reshape(rows, columns, cell, cell, channels).swapaxes(1, 2).reshape(rows * cell, columns * cell, -1)
    image = Image.fromarray(grid[..., 0] if channels == 1 else grid)
    content = _png(image) if channels == 1 else _jpeg(image, max_bytes)
    return PictureSheet(content=content, columns=columns, rows=rows, cell=cell, side=side)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def _jpeg(image: Image.Image, max_bytes: int) -> bytes:
    content = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, format="JPEG", quality=quality, subsampling=0)
        content = buffer.getvalue()
        if len(content) <= max_bytes:
            break
    return content

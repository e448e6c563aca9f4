"""Digits drawn by hand, made like those of MNIST, and as text that fits into a link.

LeCun et al.: Gradient-based learning applied to document recognition, 1998, section III.A, and the data set's page: the
digit is scaled to fit a box of 20 × 20 pixels with its proportions kept, and put into 28 × 28 pixels so that its center
of mass is in the middle. On MNIST's digits that is the pixel 14, 14 counted from 0: with it, each of them comes back
exactly when it is enlarged and moved.
"""

from __future__ import annotations

import base64
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from cnncore.errors import DataError

SIDE = 28
BOX = 20

Gray = npt.NDArray[np.uint8]


def like_mnist(drawing: Gray) -> Gray | None:
    """A white drawing on black, uint8 (H, W), as MNIST would have it, uint8 (28, 28); None where nothing is drawn."""
    rows, columns = np.nonzero(drawing)
    if not len(rows):
        return None
    inside = drawing[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = inside.shape
    factor = BOX / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = np.asarray(Image.fromarray(inside).resize(size, Image.Resampling.BOX), np.float64)
    mass = small.sum()
    middle = [float((small.sum(axis=1 - axis) * np.arange(small.shape[axis])).sum() / mass) for axis in (0, 1)]
    found = np.zeros((SIDE, SIDE), np.uint8)
    # A whole number of pixels, since MNIST moves digits without resampling them once more.
    top, left = (int(np.clip(round(SIDE / 2 - middle[axis]), 0, SIDE - small.shape[axis])) for axis in (0, 1))
    found[top : top + small.shape[0], left : left + small.shape[1]] = small.round()
    return found


def drawing_text(digit: Gray) -> str:
    """A digit, uint8 (28, 28), as letters, digits, - and _; some hundred of them."""
    return base64.urlsafe_b64encode(zlib.compress(digit.tobytes(), 9)).decode().rstrip("=")


def read_drawing(text: str) -> Gray:
    """Back from `drawing_text`, uint8 (28, 28).

    Raises:
        DataError: where the text holds no digit.
    """
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        # Bounded, since a few bytes may say that they are gigabytes.
        content = zlib.decompressobj().decompress(packed, SIDE * SIDE + 1)
    except (ValueError, zlib.error):
        content = b""
    if len(content) != SIDE * SIDE:
        raise DataError("The link holds no whole drawing.", "Draw it once more.")
    return np.frombuffer(content, np.uint8).reshape(SIDE, SIDE)


def example_digit() -> Gray:
    """A three, as a person might draw it, uint8 (28, 28): something to look at before anything is drawn."""
    side, pen = 280, 22
    image = Image.new("L", (side, side))
    pencil = ImageDraw.Draw(image)
    for box, begin, end in (((80, 40, 190, 145), 200, 450), ((70, 130, 200, 245), 270, 520)):
        pencil.arc(box, begin, end, fill=255, width=pen)
    digit = like_mnist(np.asarray(image.filter(ImageFilter.GaussianBlur(3))))
    assert digit is not None
    return digit

"""Decodes one picture; the file may come from anywhere and may be hostile.

Formats are allow-listed, the number of pixels is capped before any is decoded, and whatever goes wrong inside a
decoder becomes one sentence that names the file.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from cnncore.errors import DataError
from cnncore.images.limits import LONGEST_SIDE, Limits
from cnncore.images.preprocessing import Preprocessing

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
MAX_PIXELS = Limits().pixels
_GRAY_16_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's values for how a camera was held, and what turns the picture upright; from 5 on width and height change."""
_LARGE_PIXELS = 16_000_000
_ONE_LARGE = threading.Lock()
"""Large pictures are decoded one at a time: 50 megapixels take up to 600 MB while they are put on white."""
_HINT = "Remove it or replace it by a sound copy."

# Pillow warns before this module can refuse; an error reaches the same sentence without a line on the terminal.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", "Corrupt EXIF data")


@dataclass(frozen=True, eq=False, kw_only=True)
class Reduced:
    """A picture in the form that image sets keep, and the size of the original in pixels, upright."""

    image: Image.Image
    width: int
    height: int


def decode_image(path: Path, preprocessing: Preprocessing) -> np.ndarray:
    """What a network sees of a file before normalization, uint8 (size, size, channels); decoded as `open_rgb` does.

    Raises:
        DataError: naming the file and what is wrong with it.
    """
    return preprocessing.pixels(open_rgb(path, at_least=2 * preprocessing.resized if preprocessing.draft else None))


def open_rgb(
    source: Path | BinaryIO, *, name: str = "", at_least: int | None = None, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """A picture in RGB.

    Turned upright as its EXIF data says; of an animation the first frame; 16-bit gray is scaled to 8 bits; transparent
    parts are put on white.

    Args:
        source: The file, or a stream at its start.
        name: What messages call it; the path if not given.
        at_least: A JPEG may come at 1/2, 1/4 or 1/8 of its size while both sides keep so many pixels: much faster.
        max_pixels: Most pixels that are decoded.

    Raises:
        DataError: naming the file and what is wrong with it.
    """

    def wanted(size: tuple[int, int]) -> tuple[int, int]:
        side = at_least or max(size)
        return side, side

    return _open(source, name or str(source), max_pixels, wanted)[0]


def open_reduced(source: Path | BinaryIO, *, name: str = "", max_pixels: int = MAX_PIXELS) -> Reduced:
    """A picture as image sets keep it: in RGB as `open_rgb` gives it, its longer side at most `LONGEST_SIDE`.

    Raises:
        DataError: naming the file and what is wrong with it.
    """

    def wanted(size: tuple[int, int]) -> tuple[int, int]:
        enough = LONGEST_SIDE * 3 // 2
        return (enough, 1) if size[0] >= size[1] else (1, enough)

    image, (width, height) = _open(source, name or str(source), max_pixels, wanted)
    if max(image.size) > LONGEST_SIDE:
        factor = LONGEST_SIDE / max(image.size)
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    return Reduced(image=image, width=width, height=height)


def _open(
    source: Path | BinaryIO, name: str, max_pixels: int, wanted: Callable[[tuple[int, int]], tuple[int, int]]
) -> tuple[Image.Image, tuple[int, int]]:
    """A picture in RGB, upright, and the size it has in its file, upright too."""
    if isinstance(source, Path) and source.exists() and not source.is_file():
        raise DataError(f"The image {name} is a folder, a pipe or a device, not a file.", _HINT)  # some never end
    try:
        with Image.open(source, formats=FORMATS) as image:
            size = image.size
            if size[0] * size[1] > max_pixels:
                reason = f"has {size[0]:,}×{size[1]:,} pixels; at most {max_pixels // 1_000_000:,} million are decoded"
                raise DataError(f"The image {name} {reason}.", _HINT)
            if image.mode == "F":
                raise DataError(f"The image {name} holds floating-point numbers, not colors.", _HINT)
            image.draft(None, wanted(size))
            large = image.width * image.height > _LARGE_PIXELS
            with _ONE_LARGE if large else contextlib.nullcontext():
                image.load()  # before EXIF is read, which swallows what is wrong with the pixels
                held = _orientation(image)
                upright = image.transpose(_TURNS[held]) if held > 1 else image
                return _rgb(upright), (size[1], size[0]) if held >= 5 else size
    except DataError:
        raise
    except Exception as error:  # decoders raise nearly anything: SyntaxError, struct.error, IndexError, ...
        raise DataError(f"The image {name} {_reason(error, max_pixels)}.", _HINT) from None


def _orientation(image: Image.Image) -> int:
    try:
        held = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a broken EXIF block says nothing about the pixels
        return 1
    return held if held in _TURNS else 1


def _reason(error: Exception, max_pixels: int) -> str:
    if isinstance(error, FileNotFoundError):
        return "is no longer there"
    if isinstance(error, OSError) and error.errno:
        return f"cannot be read ({error.strerror})"
    if isinstance(error, Image.UnidentifiedImageError):
        return "is not an image of a known format (JPEG, PNG, WebP, BMP, GIF, TIFF)"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"has too many pixels; at most {max_pixels // 1_000_000:,} million are decoded"
    return "is damaged or cut off and cannot be decoded"


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in _GRAY_16_BIT:
        # Pillow's own conversion cuts everything above 255 off.
        gray = np.asarray(image).astype(np.float32) / 257
        return Image.fromarray(np.clip(gray + 0.5, 0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")

"""Decodes one picture; the file may come from anywhere and may be hostile.

Formats are allow-listed, the number of pixels is capped before any is decoded, and whatever goes wrong inside a
decoder becomes one sentence that names the file.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from cnncore.errors import DataError
from cnncore.images.limits import Limits
from cnncore.images.preprocessing import Preprocessing

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
MAX_PIXELS = Limits().pixels
_GRAY_16_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_HINT = "Remove it or replace it by a sound copy."

# Pillow warns before this module can refuse; an error reaches the same sentence without a line on the terminal.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def decode_image(path: Path, preprocessing: Preprocessing) -> np.ndarray:
    """What a network sees of a file before normalization, uint8 (size, size, channels); decoded as `open_rgb` does.

    Raises:
        DataError: naming the file and what is wrong with it.
    """
    return preprocessing.pixels(open_rgb(path, at_least=2 * preprocessing.resized))


def open_rgb(
    source: Path | BinaryIO, *, name: str = "", at_least: int | None = None, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """A picture in RGB, decoded whole.

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
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                reason = f"has {image.width:,}×{image.height:,} pixels; at most {max_pixels // 1_000_000:,} million"
                raise DataError(f"The image {name or source} {reason} are decoded.", _HINT)
            if image.mode == "F":
                raise DataError(f"The image {name or source} holds floating-point numbers, not colors.", _HINT)
            if at_least:
                image.draft(None, (at_least, at_least))
            return _rgb(ImageOps.exif_transpose(image))
    except DataError:
        raise
    except Exception as error:  # decoders raise nearly anything: SyntaxError, struct.error, IndexError, ...
        raise DataError(f"The image {name or source} {_reason(error, max_pixels)}.", _HINT) from None


def _reason(error: Exception, max_pixels: int) -> str:
    if isinstance(error, FileNotFoundError):
        return "is no longer there"
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

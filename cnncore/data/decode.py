"""Decodes one image file to a small RGB array; the file may come from anywhere and may be hostile.

Formats are allow-listed, the number of pixels is capped before any is decoded, and whatever goes wrong inside a
decoder becomes one sentence that names the file.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cnncore.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
MAX_PIXELS = 50_000_000
_GRAY_16_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")

# Pillow warns before this module can refuse; an error reaches the same sentence without a line on the terminal.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def decode_image(path: Path, size: int) -> np.ndarray:
    """The middle square of an image, uint8 (size, size, 3), antialiased.

    Equal to resizing the shorter side to `size` and cropping the center. Turned upright as its EXIF data says; of an
    animation the first frame; 16-bit gray is scaled to 8 bits; transparent parts are put on white.

    Raises:
        DataError: naming the file and what is wrong with it.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _refusal(path, f"has {image.width:,}×{image.height:,} pixels; at most 50 million are decoded")
            if image.mode == "F":
                raise _refusal(path, "holds floating-point numbers, not colors")
            # A JPEG can be decoded at 1/2, 1/4 or 1/8: never below twice the size that is wanted.
            image.draft(None, (2 * size, 2 * size))
            return np.asarray(_square(_rgb(ImageOps.exif_transpose(image)), size))
    except DataError:
        raise
    except FileNotFoundError:
        raise _refusal(path, "is no longer there") from None
    except Image.UnidentifiedImageError:
        raise _refusal(path, "is not an image of a known format (JPEG, PNG, WebP, BMP, GIF, TIFF)") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _refusal(path, "has too many pixels; at most 50 million are decoded") from None
    except Exception:  # decoders raise nearly anything on broken files: SyntaxError, struct.error, IndexError, ...
        raise _refusal(path, "is damaged or cut off and cannot be decoded") from None


def _refusal(path: Path, reason: str) -> DataError:
    return DataError(f"The image {path} {reason}.", "Remove it or replace it by a sound copy.")


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


def _square(image: Image.Image, size: int) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))

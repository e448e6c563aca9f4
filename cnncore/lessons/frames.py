"""Many small pictures as one file, so that a browser has every place of a slider at once."""

from __future__ import annotations

import io
import math

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
_QUALITY = 88


def contact_sheet(frames: Pixels) -> tuple[Pixels, int]:
    """Frames, uint8 (N, H, W, C) with C = 3 or 1, row by row in a JPEG: its bytes, uint8 (n,), and frames in a row.

    A JPEG, since hundreds of frames of a photograph are megabytes otherwise; what it changes nobody sees.
    """
    num, height, width, channels = frames.shape
    columns = math.ceil(math.sqrt(num))
    rows = math.ceil(num / columns)
    sheet = np.zeros((rows * columns, height, width, channels), np.uint8)
    sheet[:num] = frames
    sheet = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    pixels = sheet.reshape(rows * height, columns * width, channels)
    stream = io.BytesIO()
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    image.save(stream, "JPEG", quality=_QUALITY, subsampling=0)
    return np.frombuffer(stream.getvalue(), np.uint8), columns

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cnncore.lessons.frames import contact_sheet


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("num", [1, 2, 7, 9])
def test_frames_lie_row_by_row(num: int, channels: int) -> None:
    # Plain frames of one color each, which a JPEG leaves all but alone.
    frames = np.random.default_rng(0).integers(0, 256, (num, 1, 1, channels), np.uint8).repeat(8, 1).repeat(16, 2)
    sheet, columns = contact_sheet(frames)
    pixels = np.asarray(Image.open(io.BytesIO(sheet.tobytes()))).reshape(-1, columns * 16, channels)
    for place, frame in enumerate(frames):
        row, column = divmod(place, columns)
        found = pixels[8 * row : 8 * row + 8, 16 * column : 16 * column + 16]
        assert abs(found.astype(int) - frame).max() <= 6

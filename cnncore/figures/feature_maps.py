"""Feature maps and filters as pictures: one flat square a number, never blurred, and what its color means."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from cnncore.images.heat_map import COLORS, heat_colors, signed_colors

Numbers = npt.NDArray[np.floating]
Picture = npt.NDArray[np.uint8]

_LEVELS = 256
_TEXT = 13
_MARGIN, _GAP, _LINE, _BAR = 16, 8, 18, 14
_INK, _PAPER = (40, 44, 52), (255, 255, 255)
_COLUMNS = 8


@cache
def palette() -> Picture:
    """The color of each level, uint8 (256, 3), perceptually even."""
    return np.rint(heat_colors(np.linspace(0, 1, _LEVELS))).astype(np.uint8)


def levels(maps: Numbers, lows: npt.ArrayLike, highs: npt.ArrayLike) -> Picture:
    """Each number's place between the ends of its map as a level, uint8 (n, h, w); the lowest where both are equal.

    Args:
        maps: (n, h, w).
        lows: What gets level 0: one number, or (n,).
        highs: What gets level 255, likewise.
    """
    low, high = (np.asarray(ends, np.float32).reshape(-1, 1, 1) for ends in (lows, highs))
    width = high - low
    scale = np.divide(_LEVELS - 1, width, out=np.zeros_like(width), where=width > 0)
    shares = (np.nan_to_num(maps.astype(np.float32)) - low) * scale
    return np.rint(np.clip(shares, 0, _LEVELS - 1)).astype(np.uint8)


def coarser(maps: Numbers, side: int) -> Numbers:
    """The same maps in at most about `side` × `side` numbers, each the mean of a block; small ones as they are."""
    count, height, width = maps.shape
    block = math.ceil(max(height, width) / side)
    if block <= 1:
        return maps
    rows, columns = height // block, width // block
    cut = maps[:, : rows * block, : columns * block].astype(np.float32)
    return cut.reshape(count, rows, block, columns, block).mean(axis=(2, 4))


def enlarged(picture: Picture, side: int) -> Picture:
    """A picture (H, W, …) with its pixels as squares, its longer side at least `side` pixels."""
    factor = max(1, math.ceil(side / max(picture.shape[:2])))
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def png(picture: Picture) -> bytes:
    """A picture, uint8 (H, W), (H, W, 1) or (H, W, 3), as a PNG file."""
    buffer = io.BytesIO()
    gray = picture.ndim == 3 and picture.shape[-1] == 1
    Image.fromarray(picture[..., 0] if gray else picture).save(buffer, format="PNG")
    return buffer.getvalue()


def sheet(
    pictures: Picture, names: Sequence[str], *, title: str, ends: tuple[str, str] | None, side: int = 96
) -> bytes:
    """Pictures in rows with their names below, as a PNG file.

    Args:
        pictures: uint8 (n, h, w, 3), n at least 1.
        names: One a picture.
        title: Above them.
        ends: What the first and the last color of the color bar mean; without it there is none.
        side: Pixels that the longer side of a picture has at least.
    """
    squares = [enlarged(picture, side) for picture in pictures]
    height, width = squares[0].shape[:2]
    columns = min(len(squares), _COLUMNS)
    rows = math.ceil(len(squares) / columns)
    font = ImageFont.load_default(_TEXT)
    title, *names = map(_drawable, (title, *names))
    inside = max(columns * (width + _GAP) - _GAP, math.ceil(font.getlength(title)))
    bottom = _MARGIN + 2 * _LINE + rows * (height + _LINE + _GAP)
    page = Image.new("RGB", (inside + 2 * _MARGIN, bottom + (_BAR + _LINE if ends else 0) + _MARGIN), _PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((_MARGIN, _MARGIN), title, fill=_INK, font=font)
    for place, (square, name) in enumerate(zip(squares, names, strict=True)):
        row, column = divmod(place, columns)
        left, top = _MARGIN + column * (width + _GAP), _MARGIN + 2 * _LINE + row * (height + _LINE + _GAP)
        page.paste(Image.fromarray(square), (left, top))
        pen.text((left, top + height + 1), name, fill=_INK, font=font)
    if ends:
        bar = np.broadcast_to(palette()[None], (_BAR, _LEVELS, 3))
        page.paste(Image.fromarray(np.ascontiguousarray(bar)), (_MARGIN, bottom))
        low, high = map(_drawable, ends)
        pen.text((_MARGIN, bottom + _BAR + 2), low, fill=_INK, font=font)
        last = _MARGIN + _LEVELS - math.ceil(font.getlength(high))
        pen.text((last, bottom + _BAR + 2), high, fill=_INK, font=font)
    buffer = io.BytesIO()
    page.save(buffer, format="PNG")
    return buffer.getvalue()


def _drawable(text: str) -> str:
    """What Pillow's own font has letters for."""
    return text.translate({ord("×"): "x", ord("−"): "-", ord("›"): "/"}).encode("ascii", "replace").decode()


def color_bar() -> str:
    """The colors from the least to the greatest as a CSS gradient."""
    return f"linear-gradient(90deg,{','.join(f'rgb{color}' for color in COLORS)})".replace(" ", "")


def filter_pictures(filters: Numbers, *, one_scale: bool) -> Picture:
    """Filters that see pixels as pictures of what they answer to, uint8 (n, kh, kw, 3).

    Those that see red, green and blue are colors around gray, which is a weight of zero. Those that see gray have the
    colors of signs: red counts for the filter, blue against it.

    Args:
        filters: (n, kh, kw, C), C 3 or 1.
        one_scale: Whether the largest weight of all gets full color, rather than that of each filter.
    """
    tops = np.abs(filters).max(axis=(0, 1, 2, 3) if one_scale else (1, 2, 3), keepdims=True)
    shares = np.divide(filters, tops, out=np.zeros_like(filters), where=tops > 0)
    if filters.shape[-1] == 1:
        return np.rint(signed_colors(shares[..., 0])).astype(np.uint8)
    return np.rint(127.5 + 127.5 * shares).astype(np.uint8)

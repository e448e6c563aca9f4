"""The augmentations of `cnncore.data.augment`, one image at a time and with chosen strengths instead of drawn ones.

The same arithmetic in numpy: tests give both the same strengths and compare.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in gray (ITU-R BT.601)."""
_YIQ = np.array((LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112)))


def mirror(image: Array, *, across: bool = False, over: bool = False) -> Array:
    """The image (C, H, W) with left and right exchanged (`across`), and top and bottom (`over`)."""
    image = image[:, :, ::-1] if across else image
    return image[:, ::-1] if over else image


def shift(image: Array, right: int, down: int) -> Array:
    """The image (C, H, W) moved by whole pixels; black comes in."""
    _, height, width = image.shape
    found = np.zeros_like(image)
    rows, columns = (slice(max(by, 0), max(size + min(by, 0), 0)) for by, size in ((down, height), (right, width)))
    from_rows, from_columns = (
        slice(max(-by, 0), max(size - max(by, 0), 0)) for by, size in ((down, height), (right, width))
    )
    if abs(down) < height and abs(right) < width:
        found[:, rows, columns] = image[:, from_rows, from_columns]
    return found


def affine(image: Array, *, degrees: float = 0.0, right: float = 0.0, down: float = 0.0, zoom: float = 1.0) -> Array:
    """The image (C, H, W) turned, shifted and enlarged in one bilinear sampling; black comes in from outside.

    Args:
        image: Of any values.
        degrees: Angle, with the clock.
        right: Shift as a share of the width.
        down: Shift as a share of the height.
        zoom: Factor; above 1 things get larger.
    """
    _, height, width = image.shape
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle) / zoom, math.sin(angle) / zoom
    # From the middle of the image, in pixels; where each output pixel comes from.
    x = np.arange(width) + 0.5 - width / 2 - right * width
    y = (np.arange(height) + 0.5 - height / 2 - down * height)[:, None]
    columns = cosine * x + sine * y + width / 2 - 0.5
    rows = -sine * x + cosine * y + height / 2 - 0.5
    return _sampled(image, rows, columns)


def _sampled(image: Array, rows: Array, columns: Array) -> Array:
    """Bilinear between the four pixels around each place; pixels outside are 0."""
    channels, height, width = image.shape
    # A frame of zeros stands for all that lies outside; flat, since one index a pixel is many times faster than two.
    flat = np.pad(image, [(0, 0), (1, 1), (1, 1)]).reshape(channels, -1)
    top, left = np.floor(rows), np.floor(columns)
    found = np.zeros((channels, *rows.shape))
    for row, by_row in ((top, top + 1 - rows), (top + 1, rows - top)):
        start = (np.clip(row, -1, height).astype(np.intp) + 1) * (width + 2)
        for column, by_column in ((left, left + 1 - columns), (left + 1, columns - left)):
            at = start + np.clip(column, -1, width).astype(np.intp) + 1
            found += flat.take(at, axis=1) * (by_row * by_column)
    return found


def colors(
    image: Array, *, brightness: float = 1.0, contrast: float = 1.0, saturation: float = 1.0, hue: float = 0.0
) -> Array:
    """The image (C, H, W), from 0 to 1, with other colors; clamped once at the end.

    Args:
        image: With other than 3 channels, saturation and hue do nothing.
        brightness: Factor.
        contrast: Factor about the mean gray of the image.
        saturation: Factor about the gray of each pixel.
        hue: Turn of the color plane of YIQ; 1 is the whole wheel.
    """
    channels = len(image)
    gray = np.array(LUMA if channels == 3 else [1 / channels] * channels)
    mean_gray = float(image.mean(axis=(1, 2)) @ gray)
    if channels == 3:
        cosine, sine = saturation * math.cos(2 * math.pi * hue), saturation * math.sin(2 * math.pi * hue)
        plane = np.array(((1, 0, 0), (0, cosine, -sine), (0, sine, cosine)))
        image = np.einsum("ij,jhw->ihw", np.linalg.inv(_YIQ) @ plane @ _YIQ, image)
    return np.clip((1 - contrast) * brightness * mean_gray + image * brightness * contrast, 0, 1)


def erase(image: Array, top: int, left: int, height: int, width: int, *, seed: int = 0) -> Array:
    """The image (C, H, W) with a rectangle of noise from 0 to 1 over it."""
    found = image.copy()
    inside = found[:, max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    inside[:] = np.random.default_rng(seed).random(inside.shape)
    return found


def blend(image: Array, other: Array, share: float) -> Array:
    """Mixup (Zhang et al., 2017): this share of one image and the rest of another; the labels mix alike."""
    return share * image + (1 - share) * other


def paste(image: Array, other: Array, top: int, left: int, height: int, width: int) -> tuple[Array, float]:
    """CutMix (Yun et al., 2019): a rectangle of another image in this one, and the share of pixels that stay."""
    found = image.copy()
    rows, columns = slice(max(top, 0), max(top + height, 0)), slice(max(left, 0), max(left + width, 0))
    found[:, rows, columns] = other[:, rows, columns]
    covered = np.zeros(image.shape[1:], bool)
    covered[rows, columns] = True
    return found, 1 - float(covered.mean())

"""What is done to a picture before a network sees it: one object for training, prediction and export.

It resizes the shorter side to `round(size / crop)` pixels, keeps the middle square of `size` pixels and normalizes, as
torchvision's presets do (Resize with antialiasing, CenterCrop); two kinds of picture are resampled from a box of the
original instead: where nothing is cropped, and very long ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from cnncore.config import DEFAULT_FOLDER_SIZE, DataConfig
from cnncore.errors import DataError

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Red, green and blue of ImageNet's training images, as torchvision's and most other weights were trained with."""
_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
_LONGEST = 16
"""Longer side of a picture as a multiple of the shorter one: above, the whole of it is too large to be enlarged."""


def fixed_statistics(normalize: str, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation per channel of the normalizations that no image is needed for, on the scale from 0 to 1.

    Args:
        normalize: `unit`, `symmetric` or `imagenet`, which is for 3 channels.
        channels: Channels of the images.
    """
    if normalize == "imagenet":
        return IMAGENET_MEAN, IMAGENET_STD
    mean, std = {"unit": (0.0, 1.0), "symmetric": (0.5, 0.5)}[normalize]
    return (mean,) * channels, (std,) * channels


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """From a picture to the numbers a network gets.

    Attributes:
        size: Height and width in pixels.
        crop: Side of the middle square that is kept, as a share of the shorter side. At 1 the square is the exact
            middle, where torchvision rounds to whole pixels of the resized picture.
        interpolation: `bicubic` or `bilinear`.
        channels: 3, or 1 for gray.
        mean: Per channel on the scale from 0 to 1, subtracted.
        std: Per channel, divided by.
        draft: Whether large JPEGs may be decoded at 1/2, 1/4 or 1/8 of their size, where at least twice `resized`
            pixels are left: faster, and not quite the same (1.3 gray levels in the mean at 32 pixels, 0.5 at 64; 60
            flower photographs).
    """

    size: int
    crop: float = 1.0
    interpolation: str = "bicubic"
    channels: int = 3
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    draft: bool = False

    @property
    def resized(self) -> int:
        """Pixels of the shorter side before the middle is cut out."""
        return round(self.size / self.crop)

    def pixels(self, image: Image.Image) -> np.ndarray:
        """The middle square of an RGB picture, uint8 (size, size, channels), antialiased."""
        square = self._square(image, _RESAMPLING[self.interpolation])
        return np.asarray(square.convert("L"))[..., None] if self.channels == 1 else np.asarray(square)

    def normalized(self, pixels: np.ndarray) -> np.ndarray:
        """Bytes (size, size, C) as the network gets them, float32 (C, size, size)."""
        # One multiplication and one addition in float32, as in `cnncore.data.Batches`.
        std = np.array(self.std, np.float64)
        scale, shift = (1 / (255 * std)).astype(np.float32), (-np.array(self.mean) / std).astype(np.float32)
        return np.ascontiguousarray((shift + pixels.astype(np.float32) * scale).transpose(2, 0, 1))

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Preprocessing:
        """Back from `to_dict`.

        Raises:
            DataError: where a value is missing or impossible.
        """
        try:
            found = _ADAPTER.validate_python(dict(values))
        except ValidationError as error:
            raise DataError(
                f"The preprocessing is not understood: {error.errors()[0]['msg']}.", "Use a file as this lab wrote it."
            ) from error
        possible = found.size > 0 and 0 < found.crop <= 1 and found.interpolation in _RESAMPLING
        if not possible or not len(found.mean) == len(found.std) == found.channels or min(found.std) <= 0:
            raise DataError("The preprocessing is impossible.", "Use a file as this lab wrote it.")
        return found

    def _square(self, image: Image.Image, resampling: Image.Resampling) -> Image.Image:
        width, height = image.size
        short, long = sorted((width, height))
        if self.crop == 1 or long > _LONGEST * short:
            side = short * self.size / self.resized
            left, top = (width - side) / 2, (height - side) / 2
            return image.resize((self.size, self.size), resampling, box=(left, top, left + side, top + side))
        # The whole picture, although a box would do: Pillow chooses by the sizes which direction it resizes first, and
        # between the two it rounds and clips, so that edges would come out up to 18 gray levels apart.
        sizes = [self.resized if side == short else int(self.resized * side / short) for side in (width, height)]
        left, top = (round((side - self.size) / 2) for side in sizes)
        resized = image.resize((sizes[0], sizes[1]), resampling)
        return resized.crop((left, top, left + self.size, top + self.size))


_ADAPTER = TypeAdapter(Preprocessing)


def preprocessing_of(
    config: DataConfig, mean: tuple[float, ...] = (0.0, 0.0, 0.0), std: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> Preprocessing:
    """The preprocessing of a folder's or an image set's pictures.

    Args:
        config: Its `image_size`, `crop` and `interpolation` count, and that files of a folder may be of any size.
        mean: As `ImageData.mean`, where the pictures are normalized too.
        std: As `ImageData.std`.
    """
    return Preprocessing(
        size=config.image_size or DEFAULT_FOLDER_SIZE,
        crop=config.crop,
        interpolation=config.interpolation,
        channels=len(mean),
        mean=mean,
        std=std,
        draft=config.dataset == "folder",
    )

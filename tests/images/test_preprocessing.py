"""The preprocessing is torchvision's, and as folders were always read where nothing else is asked."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from cnncore.config import DataConfig
from cnncore.errors import DataError
from cnncore.images.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing, preprocessing_of

SIZES = [(640, 427), (427, 640), (512, 512), (500, 331), (33, 257), (61, 40), (1_023, 770)]


def picture(width: int, height: int) -> Image.Image:
    """Edges, ramps and noise, so that half a pixel or another filter would show."""
    random = np.random.RandomState(width)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    pixels = np.stack([x * 255 / width, (x // 7 + y // 5) % 2 * 255, random.randint(0, 256, (height, width))], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("size", "resized"), [(224, 256), (299, 342), (64, 73), (299, 333)])
def test_it_is_resize_and_center_crop(width: int, height: int, interpolation: str, size: int, resized: int) -> None:
    crop = {299: {342: 0.875, 333: 0.8975}.get(resized, 0)}.get(size, 0.875)
    own = Preprocessing(size=size, crop=crop, interpolation=interpolation)
    assert own.resized == resized
    image = picture(width, height)
    mode = v2.InterpolationMode(interpolation)
    theirs = np.asarray(v2.Compose([v2.Resize(resized, mode, antialias=True), v2.CenterCrop(size)])(image))
    assert np.abs(own.pixels(image).astype(int) - theirs).max() <= 1


def test_the_usual_one_takes_the_exact_middle() -> None:
    image = picture(41, 30)
    expected = image.resize((16, 16), Image.Resampling.BICUBIC, box=(5.5, 0, 35.5, 30))
    usual = preprocessing_of(DataConfig(dataset="folder", path="x", image_size=16))
    assert np.array_equal(usual.pixels(image), np.asarray(expected))


def test_normalized_is_what_torchvision_gives() -> None:
    own = Preprocessing(size=32, crop=0.875, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    pixels = own.pixels(picture(60, 50))
    steps = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(IMAGENET_MEAN, IMAGENET_STD)])
    normalized = own.normalized(pixels)
    assert normalized.dtype == np.float32
    assert normalized.shape == (3, 32, 32)
    assert torch.allclose(torch.from_numpy(normalized), steps(pixels.copy()), atol=1e-6)


def test_a_very_long_picture_takes_no_more_memory_than_a_short_one() -> None:
    pixels = Preprocessing(size=64, crop=0.875).pixels(picture(2, 9_000))
    assert pixels.shape == (64, 64, 3)


def test_gray_networks_get_one_channel() -> None:
    own = Preprocessing(size=28, channels=1, mean=(0.5,), std=(0.5,))
    pixels = own.pixels(picture(60, 50))
    assert pixels.shape == (28, 28, 1)
    assert own.normalized(pixels).shape == (1, 28, 28)


def test_it_survives_json() -> None:
    own = Preprocessing(size=224, crop=0.875, interpolation="bilinear", mean=IMAGENET_MEAN, std=IMAGENET_STD)
    assert Preprocessing.from_dict(json.loads(json.dumps(own.to_dict()))) == own


IMPOSSIBLE = [
    {"size": "big"},
    {"size": 0},
    {"crop": 0},
    {"crop": 2},
    {"interpolation": "x"},
    {"std": (1, 0, 1)},
    {"mean": (1,)},
]


@pytest.mark.parametrize("change", IMPOSSIBLE)
def test_an_impossible_one_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(DataError, match="preprocessing is"):
        Preprocessing.from_dict(Preprocessing(size=8).to_dict() | change)

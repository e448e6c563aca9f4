"""Near duplicates: copies are found, different images are not taken for copies, and groups stay what they are."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from cnncore.config import DataConfig
from cnncore.data import samples
from cnncore.images.duplicates import describe, groups, near
from tests.conftest import REAL_DATA


def photograph(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Noise at several scales, as photographs have it."""
    random = np.random.RandomState(seed)
    total = np.zeros((height, width, 3))
    for cells in (3, 6, 12, 24, 48):
        noise = Image.fromarray(random.randint(0, 256, (cells, cells, 3)).astype(np.uint8))
        total += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC), np.float64) / cells**0.5
    return Image.fromarray((255 * (total - total.min()) / np.ptp(total)).astype(np.uint8))


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)


def cropped(image: Image.Image, share: float) -> Image.Image:
    x, y = round(image.width * share), round(image.height * share)
    return image.crop((x, 0, image.width, image.height - y))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "the same": lambda image: image,
    "JPEG 30": lambda image: as_jpeg(image, 30),
    "JPEG 95": lambda image: as_jpeg(image, 95),
    "smaller": lambda image: scaled(image, 0.3),
    "larger": lambda image: scaled(image, 2),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.9),
    "cropped": lambda image: cropped(image, 0.015),
    "mirrored": ImageOps.mirror,
    "mirrored, smaller and recompressed": lambda image: as_jpeg(scaled(ImageOps.mirror(image), 0.5), 60),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_near(name: str) -> None:
    for seed in range(10):
        image = photograph(seed)
        copy = describe(COPIES[name](image))
        assert near(describe(image), copy)
        assert near(copy, describe(image))


def test_different_photographs_are_not() -> None:
    digests = {seed: describe(photograph(seed)) for seed in range(300)}
    assert groups(digests, {}) == {seed: seed for seed in digests}


def test_photographs_turned_upside_down_are_not() -> None:
    assert not near(describe(photograph(0)), describe(ImageOps.flip(photograph(0))))


def shape(color: tuple[int, int, int], center: int = 60) -> Image.Image:
    image = Image.new("RGB", (120, 120), "white")
    ImageDraw.Draw(image).ellipse((center - 30, center - 30, center + 30, center + 30), fill=color)
    return image


def test_equal_shapes_of_other_colors_differ() -> None:
    red, green, blue = (describe(shape(color)) for color in ((200, 30, 30), (30, 140, 30), (30, 30, 220)))
    assert not near(red, green)
    assert not near(red, blue)
    assert not near(green, blue)


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [("white", "white", True), ("white", "#fdfdfd", True), ("white", "black", False), ("#a04040", "#4040a0", False)],
)
def test_plain_images_are_compared_by_their_color(a: str, b: str, alike: bool) -> None:
    assert near(*(describe(Image.new("RGB", (100, 80), color)) for color in (a, b))) is alike


def test_a_plain_image_is_near_no_photograph() -> None:
    digests = {0: describe(Image.new("RGB", (64, 64), "gray"))} | {n: describe(photograph(n)) for n in range(1, 30)}
    assert groups(digests, {}) == {key: key for key in digests}


def digits_on_paper(count: int, data_root: Path) -> list[Image.Image]:
    """Built-in digits, as if photographed: large and dark on white paper in uneven light, with noise."""
    random = np.random.RandomState(0)
    found = samples(DataConfig(), data_root, per_class=count // 10, max_images=count)
    pages = []
    for digit in found.images[..., 0]:
        ink = np.zeros((320, 320))
        top, left = random.randint(40, 80, 2)
        ink[top : top + 200, left : left + 200] = np.asarray(Image.fromarray(digit).resize((200, 200))) / 255
        y, x = np.mgrid[:320, :320] / 320
        light = 225 + random.uniform(-25, 25) * x + random.uniform(-25, 25) * y
        page = light * (1 - 0.8 * ink) + random.normal(0, 3, ink.shape)
        pages.append(Image.fromarray(np.clip(page, 0, 255).astype(np.uint8)).convert("RGB"))
    return pages


def test_digits_on_white_paper_do_not_collapse_into_groups(data_root: Path) -> None:
    pages = digits_on_paper(100, data_root)
    digests = {key: describe(page) for key, page in enumerate(pages)}
    assert groups(digests, {}) == {key: key for key in digests}
    copies = {1_000 + key: describe(as_jpeg(page, 60)) for key, page in enumerate(pages)}
    assert groups(digests | copies, {}) == {key: key % 1_000 for key in digests | copies}


def test_groups_have_the_smallest_key_and_connect() -> None:
    image, other = photograph(1), photograph(2)
    digests = {
        9: describe(image),
        4: describe(as_jpeg(image, 40)),
        7: describe(ImageOps.mirror(image)),
        5: describe(other),
        3: describe(photograph(3)),
        8: describe(other),
    }
    assert groups(digests, {}) == {9: 4, 4: 4, 7: 4, 5: 5, 3: 3, 8: 5}
    assert groups({}, {}) == {}


def test_known_images_keep_their_groups() -> None:
    image = photograph(1)
    digests = {key: describe(image) for key in (1, 2, 3)} | {4: describe(photograph(4))}
    # Two groups of what is one image, made by hand; the third is new.
    assert groups(digests, {1: 1, 2: 2, 4: -1}) == {1: 1, 2: 2, 3: 1, 4: 4}
    # Its group's first image may have been removed.
    assert groups({2: digests[2], 3: digests[3]}, {2: 1}) == {2: 1, 3: 1}


def test_adding_in_parts_gives_the_groups_of_adding_at_once() -> None:
    digests = {key: describe(COPIES[name](photograph(key % 7))) for key, name in enumerate([*COPIES] * 3)}
    at_once = groups(digests, {})
    first = groups({key: digests[key] for key in range(12)}, {})
    assert groups(digests, first) == at_once
    assert len(set(at_once.values())) == 7


def test_ten_thousand_are_grouped_in_seconds() -> None:
    random = np.random.RandomState(0)
    noise = random.randint(0, 256, (10_000, 16, 16, 3)).astype(np.uint8)
    digests = {key: describe(Image.fromarray(pixels)) for key, pixels in enumerate(noise)}
    digests |= {key: digests[0] for key in range(9_000, 9_500)}
    started = time.process_time()
    found = groups(digests, {})
    assert time.process_time() - started < 15
    assert len(set(found.values())) == 9_500


@pytest.mark.skipif(REAL_DATA is None or not (REAL_DATA / "flowers").is_dir(), reason="no flowers in CNNLAB_DATA")
def test_no_two_flowers_are_one_photograph_and_their_copies_are_found() -> None:
    assert REAL_DATA is not None
    flowers = [Image.open(path).convert("RGB") for path in sorted((REAL_DATA / "flowers/val").rglob("*.jpg"))]
    digests = {key: describe(image) for key, image in enumerate(flowers)}
    assert groups(digests, {}) == {key: key for key in digests}
    for name, copy in COPIES.items():
        found = [near(digests[key], describe(copy(image))) for key, image in enumerate(flowers)]
        assert sum(found) >= (0.92 if name == "cropped" else 0.98) * len(found), name

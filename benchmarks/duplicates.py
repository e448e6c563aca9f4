"""Which copies of an image are found as near duplicates, and how many different images are taken for copies.

    python -m benchmarks.duplicates [--images 10000] [--copies 400]

Flower photographs (folder `flowers` below the data folder), CIFAR-10's training images, MNIST's digits, and digits as
if photographed: large and dark on white paper, in uneven light, with noise.
"""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps

from benchmarks.report import Report, parser, table
from cnncore.config import DataConfig
from cnncore.data import Images, open_images
from cnncore.images.duplicates import describe, groups, near

Copy = Callable[[Image.Image], Image.Image]
_RANDOM = np.random.RandomState(0)


def as_jpeg(quality: int) -> Copy:
    def copy(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    return copy


def scaled(factor: float) -> Copy:
    return lambda image: image.resize([max(8, round(side * factor)) for side in image.size], Image.Resampling.BICUBIC)


def cropped(most: float) -> Copy:
    """Every edge moves in by a random share of the side, up to `most`."""

    def copy(image: Image.Image) -> Image.Image:
        (left, right), (top, bottom) = (np.rint(_RANDOM.uniform(0, most, 2) * side) for side in image.size)
        return image.crop((int(left), int(top), image.width - int(right), image.height - int(bottom)))

    return copy


def brightened(factor: float) -> Copy:
    return lambda image: ImageEnhance.Brightness(image).enhance(factor)


COPIES: dict[str, Copy] = {
    "JPEG, quality 30": as_jpeg(30),
    "JPEG, quality 60": as_jpeg(60),
    "JPEG, quality 95": as_jpeg(95),
    "0.3 times the size": scaled(0.3),
    "half the size": scaled(0.5),
    "twice the size": scaled(2),
    "10 % darker": brightened(0.9),
    "10 % brighter": brightened(1.1),
    "mirrored": ImageOps.mirror,
    "edges cut by up to 1.5 %": cropped(0.015),
    "edges cut by up to 3 %": cropped(0.03),
}


def data_images(data_root: Path, dataset: str, count: int) -> list[Image.Image]:
    train = open_images(DataConfig(dataset=dataset, validation=0.0), data_root, download=False).train
    assert isinstance(train, Images)
    pixels = train.take(torch.arange(min(count, len(train)))).numpy()
    return [Image.fromarray(image.squeeze()).convert("RGB") for image in pixels]


def on_paper(digit: Image.Image) -> Image.Image:
    ink = np.zeros((320, 320))
    top, left = _RANDOM.randint(35, 86, 2)
    ink[top : top + 200, left : left + 200] = np.asarray(digit.convert("L").resize((200, 200))) / 255
    y, x = np.mgrid[:320, :320] / 320 - 0.5
    slopes = _RANDOM.uniform(-25, 25, 2)
    light = 235 + slopes[0] * x + slopes[1] * y - 40 * (x**2 + y**2)
    page = light * (1 - 0.8 * ink) + _RANDOM.normal(0, 3, ink.shape)
    return Image.fromarray(np.clip(page, 0, 255).astype(np.uint8)).convert("RGB")


def kinds(data_root: Path, count: int) -> dict[str, list[Image.Image]]:
    flowers = [Image.open(path).convert("RGB") for path in sorted((data_root / "flowers").rglob("*.jpg"))]
    digits = data_images(data_root, "mnist", count)
    return {
        "flowers": flowers,
        "CIFAR-10": data_images(data_root, "cifar10", count),
        "MNIST": digits,
        "digits on paper": [on_paper(digit) for digit in digits[: count // 5]],
    }


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--images", type=int, default=10_000, help="images of a kind")
    command_line.add_argument("--copies", type=int, default=400, help="images of a kind that are copied")
    arguments = command_line.parse_args()
    report = Report(name="duplicates", title="Near duplicates: what is found, and what is taken for one")
    found: dict[str, dict[str, float]] = {}
    grouped: list[tuple[object, ...]] = []
    for name, images in kinds(arguments.data, arguments.images).items():
        digests = {key: describe(image) for key, image in enumerate(images)}
        begin = time.process_time()
        sizes = Counter(groups(digests, {}).values())
        seconds = time.process_time() - begin
        several = [size for size in sizes.values() if size > 1]
        grouped.append((name, f"{len(images):,}", len(several), sum(several), max(sizes.values()), f"{seconds:.1f} s"))
        chosen = images[: arguments.copies]
        found[name] = {
            kind: float(np.mean([near(digests[key], describe(copy(image))) for key, image in enumerate(chosen)]))
            for kind, copy in COPIES.items()
        }
    report.data = {"found": found, "groups": grouped}
    report.sections = [
        "## Groups among images as they come\n\n"
        + table(("images", "n", "groups", "images in groups", "largest", "processor time"), grouped),
        f"## Copies that are found, of {arguments.copies} each\n\n"
        + table(("copy", *found), [(kind, *(f"{found[name][kind]:.1%}" for name in found)) for kind in COPIES]),
    ]
    report.save(arguments.results)


if __name__ == "__main__":
    main()

"""Pictures and sets made for tests."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from cnncore.images.image_set import ImageRecord


def picture(seed: int, width: int = 40, height: int = 30) -> Image.Image:
    """Blobs of random colors; no two seeds look alike."""
    coarse = np.random.RandomState(seed).randint(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png(seed: int) -> bytes:
    return encoded(picture(seed))


def folder_of(root: Path, *folders: str, each: int = 3) -> Path:
    """Folders of pictures, all different: `root/cats/0.png` and so on."""
    for number, name in enumerate(folders):
        (root / name).mkdir(parents=True)
        for index in range(each):
            (root / name / f"{index}.png").write_bytes(png(1_000 * number + index))
    return root


def record(key: int, label: str = "cats", **values: object) -> ImageRecord:
    settings = {
        "file": f"{key:032x}.png",
        "name": f"{key}.png",
        "width": 40,
        "height": 30,
        "num_bytes": 9,
        "group": key,
    }
    return ImageRecord(key=key, label=label, **(settings | values))  # pyright: ignore[reportArgumentType]

"""Pictures that every lesson can begin with: they come with packages the lab needs anyway, or are made of numbers."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from cnncore.errors import DataError
from cnncore.images.drawing import example_digit

Pixels = npt.NDArray[np.uint8]
_STRIPE = 2


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A picture to begin with.

    Attributes:
        title: What it is called.
        words: Where it comes from.
        load: Gives its pixels for a side in pixels, uint8 (side, side, C) with C = 3, or 1 for gray.
    """

    title: str
    words: str
    load: Callable[[int], Pixels]


def photograph_file(name: str) -> Path | None:
    """A photograph that comes with scikit-learn, of which nothing is imported; None where it is not there."""
    package = importlib.util.find_spec("sklearn")
    for place in (package.submodule_search_locations or ()) if package else ():
        path = Path(place) / "datasets" / "images" / f"{name}.jpg"
        if path.is_file():
            return path
    return None


def fitted(image: Image.Image, side: int) -> Pixels:
    """The middle square of an image at another size, uint8 (side, side, C)."""
    mode = "L" if image.mode in ("1", "L", "LA", "I;16") else "RGB"
    resampling = Image.Resampling.BOX if min(image.size) >= side else Image.Resampling.NEAREST
    pixels = np.asarray(ImageOps.fit(image.convert(mode), (side, side), resampling))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _photograph(name: str, side: int) -> Pixels:
    path = photograph_file(name)
    if path is None:
        raise DataError("This photograph did not come along with scikit-learn.", "Choose another picture.")
    with Image.open(path) as image:
        return fitted(image, side)


def _digit(side: int) -> Pixels:
    return fitted(Image.fromarray(example_digit()), side)


def _shapes(side: int) -> Pixels:
    """A disk, a bar, stripes and a slope of gray: edges of every direction, and plain areas."""
    rows, columns = (np.mgrid[:side, :side] + 0.5) / side
    gray = np.full((side, side), 40.0)
    # Its edge has grays in between, so that it is round with few pixels too.
    gray += 190 * np.clip((0.18 - np.hypot(rows - 0.28, columns - 0.28)) * side + 0.5, 0, 1)
    gray[(rows > 0.12) & (rows < 0.44) & (columns > 0.62) & (columns < 0.74)] = 230
    stripes = (rows > 0.58) & (rows < 0.9) & (columns > 0.1) & (columns < 0.46)
    first = int(stripes.any(axis=0).argmax())
    gray[stripes & (((np.arange(side) - first) // _STRIPE % 2 == 0)[None, :])] = 230
    slope = (rows > 0.58) & (rows < 0.9) & (columns > 0.56) & (columns < 0.9)
    gray[slope] = (40 + 190 * (columns - 0.56) / 0.34)[slope]
    return np.rint(gray).astype(np.uint8)[..., None]


SAMPLES: dict[str, Sample] = {
    "palace": Sample(
        title="Palace",
        words="The Summer Palace in Beijing, photographed by danielbuechele (CC BY 2.0, from scikit-learn).",
        load=partial(_photograph, "china"),
    ),
    "flower": Sample(
        title="Flower",
        words="A dahlia, photographed by vultilion (CC BY 2.0, from scikit-learn).",
        load=partial(_photograph, "flower"),
    ),
    "digit": Sample(title="Digit", words="A digit as MNIST has them, made for the lab.", load=_digit),
    "shapes": Sample(title="Shapes", words="Edges of every direction and plain areas, made of numbers.", load=_shapes),
}

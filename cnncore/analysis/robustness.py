"""How much of its accuracy a network keeps when its images are disturbed, by `cnncore.catalog.disturbances`.

After D. Hendrycks, T. Dietterich: Benchmarking neural network robustness to common corruptions and perturbations, ICLR
2019; the disturbances are simpler ones with strengths in plain units. Everything happens to the pixels, before they are
normalized, on a scale from 0 to 255 without rounding. What is random depends on the seed and on an image's position in
its split only: the same for every network, strength and number of images.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from cnncore.analysis.scans import Work
from cnncore.analysis.split_outcomes import Eye, Judged, Pace, Places, evenly_spread
from cnncore.catalog.disturbances import DISTURBANCES
from cnncore.errors import lookup
from cnncore.training.trained import TrainedNetwork

SEED = 0
_EXAMPLES = 3
_MOST_EXAMPLE_BYTES = 3_000_000
_DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""Rows down and columns to the right."""

Disturb = Callable[[Tensor, float, Places], Tensor]
"""Images (n, C, H, W), float32 from 0 to 255, a strength and the images' positions to disturbed images."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Robustness:
    """How a network does on disturbed images.

    Attributes:
        strengths: S of them, rising, the one that changes nothing among them.
        right: Images that were told right at each, int64 (S,).
        count: Images that were looked at, the same ones at each strength.
        total: Images of the split.
        pixels: A few of them at each strength, uint8 (E, S, H, W, C).
        said: What the network said of those, class indices (E, S).
        confidence: How probable it found that, float32 (E, S).
        labels: Their true classes, (E,).
        places: Their positions in the split, (E,).
    """

    strengths: tuple[float, ...]
    right: npt.NDArray[np.int64]
    count: int
    total: int
    pixels: npt.NDArray[np.uint8]
    said: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    places: Places


def disturbed(images: Tensor, name: str, strength: float, places: Places) -> Tensor:
    """Images (n, C, H, W), float32 from 0 to 255, with a disturbance; as they are at its neutral strength.

    Args:
        images: The images.
        name: Key of `DISTURBANCES`.
        strength: In its unit.
        places: Positions of the images in their split, (n,), which decide what is random.

    Raises:
        ConfigError: if there is no such disturbance.
    """
    spec = lookup(DISTURBANCES, name, "disturbance", "change")
    return images if strength == spec.neutral else _DISTURB[name](images, strength, places)


def scan_robustness(network: TrainedNetwork, found: Judged, change: str, most: int) -> Work[Robustness]:
    """Put images of a split through a network at every strength of a disturbance.

    Args:
        network: The network.
        found: Its images.
        change: Key of `DISTURBANCES`.
        most: Images that are taken, at even distances.

    Raises:
        ConfigError: if there is no such disturbance.
    """
    size = network.preprocessing.size
    strengths = lookup(DISTURBANCES, change, "disturbance", "change").at(size)
    places = evenly_spread(len(found.labels), most)
    eye, pace, right, done = Eye(network), Pace(), np.zeros(len(strengths), np.int64), 0
    while done < len(places):
        part = places[done : done + pace.size]
        images = _floats(eye.pixels(found.split, part))
        for row, strength in enumerate(strengths):
            begin = time.monotonic()
            said = eye.probabilities(_rows(disturbed(images, change, strength, part))).argmax(axis=1)
            right[row] += (said == found.labels[part]).sum()
            pace.took(time.monotonic() - begin)
            yield done * len(strengths) + (row + 1) * len(part), len(places) * len(strengths)
        done += len(part)
    made = network.preprocessing
    fitting = _MOST_EXAMPLE_BYTES // (len(strengths) * made.size**2 * made.channels)
    chosen = places[evenly_spread(len(places), max(1, min(_EXAMPLES, fitting)))]
    images = _floats(eye.pixels(found.split, chosen))
    pixels: list[Tensor] = []
    shares: list[npt.NDArray[np.float32]] = []
    for strength in strengths:
        pixels.append(_rows(disturbed(images, change, strength, chosen)))
        shares.append(eye.probabilities(pixels[-1]))
        yield 1, 1
    said = np.stack(shares, axis=1)
    return Robustness(
        strengths=strengths,
        right=right,
        count=len(places),
        total=len(found.labels),
        pixels=torch.stack(pixels, dim=1).round().to(torch.uint8).numpy(),
        said=said.argmax(axis=2),
        confidence=said.max(axis=2),
        labels=found.labels[chosen],
        places=chosen,
    )


def _floats(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """(n, H, W, C) as float32 (n, C, H, W)."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float()


def _rows(images: Tensor) -> Tensor:
    """Back to (n, H, W, C)."""
    return images.permute(0, 2, 3, 1).contiguous()


def _draws(places: Places, choices: int) -> list[int]:
    """For each image a number below `choices`."""
    return [int(torch.randint(choices, (), generator=_generator(place))) for place in places]


def _generator(place: int) -> torch.Generator:
    return torch.Generator().manual_seed((SEED << 32) + int(place))


def _shift(images: Tensor, strength: float, places: Places) -> Tensor:
    height, width = images.shape[2:]
    moved: list[Tensor] = []
    for image, direction in zip(images, _draws(places, len(_DIRECTIONS)), strict=True):
        down, right = (round(strength) * part for part in _DIRECTIONS[direction])
        rows = (torch.arange(height) - down).clamp(0, height - 1)
        columns = (torch.arange(width) - right).clamp(0, width - 1)
        moved.append(image[:, rows][:, :, columns])
    return torch.stack(moved)


def _rotate(images: Tensor, strength: float, places: Places) -> Tensor:
    angle = math.radians(strength)
    turns = torch.zeros(len(images), 2, 3)
    for matrix, left in zip(turns, _draws(places, 2), strict=True):
        sine = math.sin(angle) if left else -math.sin(angle)
        matrix[:, :2] = torch.tensor([[math.cos(angle), -sine], [sine, math.cos(angle)]])
    grid = functional.affine_grid(turns, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _blur(images: Tensor, strength: float, places: Places) -> Tensor:
    del places
    radius, channels = math.ceil(3 * strength), images.shape[1]
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / strength) ** 2)
    weights = (weights / weights.sum()).expand(channels, 1, 1, -1)
    padded = functional.pad(images, (radius,) * 4, mode="replicate")
    across = functional.conv2d(padded, weights, groups=channels)
    return functional.conv2d(across, weights.transpose(2, 3), groups=channels)


def _noise(images: Tensor, strength: float, places: Places) -> Tensor:
    patterns = [torch.randn(images.shape[1:], generator=_generator(place)) for place in places]
    return (images + 255 * strength * torch.stack(patterns)).clamp(0, 255)


def _brighten(images: Tensor, strength: float, places: Places) -> Tensor:
    del places
    return (images * strength).clamp(0, 255)


_DISTURB: dict[str, Disturb] = {
    "shift": _shift,
    "rotation": _rotate,
    "blur": _blur,
    "noise": _noise,
    "brightness": _brighten,
}

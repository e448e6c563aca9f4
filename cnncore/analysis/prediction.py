"""What a trained network says of pictures: their classes, whether they are like anything it knows, and why.

Pictures come from people: each is decoded by `cnncore.images.decode`, within the limits, and one that cannot be is
named with the reason while the others are answered. A picture goes through the preprocessing that the network was
trained with, so what is shown as seen is exactly what it got.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnncore.analysis.grad_cam import grad_cam, last_maps
from cnncore.errors import ConfigError, DataError, LabError
from cnncore.images.decode import open_rgb
from cnncore.images.limits import limits
from cnncore.training.trained import TrainedNetwork

SHOWN_CLASSES = 5
MOST_PICTURES = 200
"""Pictures of one question."""
BUDGET_S = 20.0
"""Seconds after which no further pictures are begun; those left can be asked for next."""
_BATCH = 8

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A file with a picture, and how a person calls it."""

    path: Path
    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Seen:
    """Pictures as a network gets them.

    Attributes:
        places: Places of the N pictures that could be decoded, among those that were given.
        refused: Place of each that could not: why, in a sentence.
        left: Places of those that there was no time for.
        pixels: Resized and cropped, uint8 (N, H, W, C).
    """

    places: tuple[int, ...]
    refused: dict[int, str]
    left: tuple[int, ...]
    pixels: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False, kw_only=True)
class Prediction:
    """What a network says of N pictures.

    Attributes:
        seen: The pictures as it got them.
        top: The most probable classes, most probable first, int64 (N, T).
        shares: Their probabilities, float32 (N, T).
        distances: To the most similar training image, float32 (N,); NaN where that is not known.
        nearest: What that image is called; empty strings where that is not known.
    """

    seen: Seen
    top: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float32]
    distances: npt.NDArray[np.float32]
    nearest: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Heat:
    """Where a network sees a class in each of N pictures.

    Attributes:
        seen: The pictures as it got them.
        classes: The class of each, int64 (N,).
        layer: Whose maps were weighted; empty where no picture could be decoded.
        maps: Float32 (N, H, W) from 0 to 1.
    """

    seen: Seen
    classes: npt.NDArray[np.int64]
    layer: str
    maps: npt.NDArray[np.float32]


def predict(network: TrainedNetwork, pictures: Sequence[Picture], *, budget_s: float = BUDGET_S) -> Prediction:
    """What a network says of pictures.

    Args:
        network: The network.
        pictures: Of people; they may be hostile.
        budget_s: Seconds after which no further ones are begun.
    """
    seen, looks = _in_batches(network, pictures, budget_s, lambda tensors, _: network.look(tensors))
    classes = len(network.classes)
    probabilities = torch.cat([torch.zeros(0, classes), *(look.probabilities for look in looks)])
    best = probabilities.topk(min(SHOWN_CLASSES, classes), dim=1)
    distances, nearest = np.full(len(seen.places), np.nan, np.float32), ("",) * len(seen.places)
    known = network.familiarity
    if known is not None and looks:
        distances, rows = known.distances(torch.cat([look.features for look in looks]).numpy())
        nearest = tuple(known.keys[rows].tolist())
    return Prediction(
        seen=seen, top=best.indices.numpy(), shares=best.values.numpy(), distances=distances, nearest=nearest
    )


def heat_of(
    network: TrainedNetwork,
    pictures: Sequence[Picture],
    classes: Sequence[int] = (),
    layer: str = "",
    *,
    budget_s: float = BUDGET_S,
) -> Heat:
    """Grad-CAM of pictures, in fp32.

    Args:
        network: The network.
        pictures: Of people; they may be hostile.
        classes: The class of each picture; the most probable ones if not given.
        layer: Whose maps are weighted; the last one that has some extent if not given.
        budget_s: Seconds after which no further pictures are begun.

    Raises:
        ConfigError: if there is no such class or layer, or there are more or fewer classes than pictures.
        DataError: if the network has no layer with maps.
    """
    if classes and len(classes) != len(pictures):
        raise ConfigError("classes", f"There are {len(classes)} classes for {len(pictures)} images.", "Give one each.")

    def work(tensors: Tensor, places: Sequence[int]) -> tuple[npt.NDArray[np.float32], Tensor, str]:
        tensors = tensors.to(network.device)
        found = layer or last_maps(network.model, tensors)
        said = network.look(tensors).probabilities.argmax(dim=1)
        chosen = torch.tensor([classes[place] for place in places]) if classes else said
        return grad_cam(network.model, tensors, chosen, found), chosen, found

    seen, parts = _in_batches(network, pictures, budget_s, work)
    size = seen.pixels.shape[1:3]
    return Heat(
        seen=seen,
        classes=np.concatenate([np.zeros(0, np.int64), *(chosen.numpy() for _, chosen, _ in parts)]),
        layer=parts[0][2] if parts else "",
        maps=np.concatenate([np.zeros((0, *size), np.float32), *(maps for maps, _, _ in parts)]),
    )


def tensors_of(network: TrainedNetwork, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """What the network gets of pictures it sees as `pixels` (N, H, W, C): float32 (N, C, H, W)."""
    made = network.preprocessing
    empty = np.zeros((0, made.channels, made.size, made.size), np.float32)
    return np.stack([made.normalized(each) for each in pixels]) if len(pixels) else empty


def channels(tensors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Least, mean and largest value and standard deviation of each channel of tensors (N, C, H, W): (N, C, 4)."""
    axes = (2, 3)
    return np.stack([tensors.min(axes), tensors.mean(axes), tensors.max(axes), tensors.std(axes)], axis=-1)


def _in_batches(
    network: TrainedNetwork,
    pictures: Sequence[Picture],
    budget_s: float,
    work: Callable[[Tensor, Sequence[int]], T],
) -> tuple[Seen, list[T]]:
    """Decode pictures and give them to `work`, some at a time, as normalized tensors on the CPU with their places."""
    made, end = network.preprocessing, time.monotonic() + budget_s
    places: list[int] = []
    refused: dict[int, str] = {}
    pixels: list[npt.NDArray[np.uint8]] = [np.zeros((0, made.size, made.size, made.channels), np.uint8)]
    results: list[T] = []
    begun = 0
    while begun < len(pictures) and (begun == 0 or time.monotonic() < end):
        part: dict[int, npt.NDArray[np.uint8]] = {}
        for place, picture in enumerate(pictures[begun : begun + _BATCH], begun):
            try:
                part[place] = _pixels(network, picture)
            except LabError as problem:
                refused[place] = str(problem)
        begun += _BATCH
        if part:
            places += part
            pixels.append(np.stack(list(part.values())))
            results.append(work(torch.from_numpy(tensors_of(network, pixels[-1])), list(part)))
    left = tuple(range(min(begun, len(pictures)), len(pictures)))
    return Seen(places=tuple(places), refused=refused, left=left, pixels=np.concatenate(pixels)), results


def _pixels(network: TrainedNetwork, picture: Picture) -> npt.NDArray[np.uint8]:
    allowed = limits()
    if picture.path.is_file() and (size := picture.path.stat().st_size) > allowed.image_bytes:
        raise DataError(
            f"The image {picture.name} has {size / 1e6:,.1f} MB; at most {allowed.image_mb:,} are read.",
            "Save it smaller.",
        )
    made = network.preprocessing
    image = open_rgb(picture.path, name=picture.name, at_least=2 * made.resized, max_pixels=allowed.pixels)
    return made.pixels(image)

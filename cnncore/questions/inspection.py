"""Questions about one network and one picture, and about the images there are to choose from."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from cnncore.analysis.contact_sheet import MOST, contact_sheet
from cnncore.analysis.prediction import SHOWN_CLASSES, channels
from cnncore.answers import Answer
from cnncore.config.requests import parse_request
from cnncore.data import ImageData
from cnncore.questions.looking import ImagesRequest, PictureRequest, subjects
from cnncore.training.familiarity import Familiarity
from cnncore.training.trained import Look

ORIGINAL_PX = 256
"""Longer side of the original that is shown beside what the network saw."""
SPLITS = ("test", "validation", "train")
"""In the order in which one is looked for: images that a network has not learned from come first."""


class InspectRequest(PictureRequest):
    """What is wanted beside the classes."""

    tensor: bool = Field(default=False, description="the exact numbers that the network gets")


def inspect(asked: dict[str, Any]) -> Answer:
    """What a network says of a picture, and what exactly it gets of it.

    Returns:
        `classes` (names of the most probable, at most five), `label` (the true class; empty where it is not known),
        `size`, `channels`, `preprocessing`, `precision` (in which the network computes), `familiar` (null, or
        `distance` to the most similar training image, the `threshold` above which a picture is like none of them, and
        `explanation`). The arrays `top` (class indices) and `shares`, `probabilities` (K,), `pixels`, uint8 (H, W, C),
        `original`, uint8, larger or of another shape, `statistics` (C, 4): least, mean, largest value and deviation of
        each channel. If asked for, `tensor`, float32 (C, H, W).
    """
    request = parse_request(InspectRequest, asked)
    network = request.trained()
    shown = request.shown(network)
    look = network.look(shown.tensor)
    probabilities = look.probabilities[0].numpy()
    top = np.argsort(-probabilities, kind="stable")[:SHOWN_CLASSES]
    tensor = shown.tensor.cpu().numpy()
    facts = {
        "classes": [network.classes[place] for place in top],
        "label": shown.label,
        "size": network.preprocessing.size,
        "channels": network.preprocessing.channels,
        "preprocessing": network.preprocessing.to_dict(),
        "precision": network.precision,
        "familiar": network.familiarity and _familiar(network.familiarity, look),
    }
    arrays = {
        "top": top,
        "shares": probabilities[top],
        "probabilities": probabilities,
        "pixels": shown.pixels,
        "original": subjects().original(request.picture, ORIGINAL_PX),
        "statistics": channels(tensor)[0],
    }
    if request.tensor:
        arrays["tensor"] = tensor[0]
    return Answer(facts, arrays, lasting=request.lasts)


def _familiar(known: Familiarity, look: Look) -> dict[str, Any]:
    distances, _ = known.distances(look.features.numpy())
    return {**known.to_dict(), "distance": float(distances[0])}


class BrowseRequest(ImagesRequest):
    """Which images; `label` is a class by its place, -1 all; `places` names positions instead."""

    label: int = Field(default=-1, ge=-1, le=100_000)
    places: Annotated[tuple[int, ...], Field(max_length=MOST)] = ()
    first: int = Field(default=0, ge=0, le=2**31 - 1)
    count: int = Field(default=12, ge=1, le=MOST)
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="of a random order; 0 leaves it as it is")


def browse(asked: dict[str, Any]) -> Answer:
    """Images in small to choose from; of another split where there are none in the one that was asked for.

    Returns:
        `classes`, `num_images` by split, `split`, `total` (how many fit), `places`, `labels` and `names` of those
        shown. The arrays `picture_0`, `picture_1`, ..., uint8 (H, W, C).
    """
    request = parse_request(BrowseRequest, asked)
    images = request.opened(request.trained())
    counts = _counts(images)
    split = request.split if counts[request.split] else next((name for name in SPLITS if counts[name]), request.split)
    sheet = contact_sheet(
        images,
        split,
        label=request.label,
        places=request.places,
        first=request.first,
        count=request.count,
        seed=request.seed,
    )
    facts = {
        "classes": images.classes,
        "num_images": counts,
        "split": split,
        "total": sheet.total,
        "places": sheet.places.tolist(),
        "labels": sheet.labels.tolist(),
        "names": sheet.names,
    }
    arrays = {f"picture_{place}": pixels for place, pixels in enumerate(sheet.pictures)}
    return Answer(facts, arrays, lasting=request.lasts)


def _counts(images: ImageData) -> dict[str, int]:
    splits = {"test": images.test, "validation": images.validation, "train": images.train}
    return {name: len(split) if split is not None else 0 for name, split in splits.items()}

"""Questions about the built-in digits, for the lessons."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cnncore.answers import Answer
from cnncore.config import DataConfig, Section
from cnncore.config.requests import parse_request
from cnncore.data import Images
from cnncore.data.opening import open_images
from cnncore.lessons.augmenting import changed_at
from cnncore.lessons.nearest import confusion_counts
from cnncore.places import data_dir

Change = Literal["rotation", "flip_horizontal", "flip_vertical", "translation", "zoom"]
MOST_PLACES = 8
"""In one question: about 0.1 s each, so that others are answered in between."""


class ChangedDigitsRequest(Section):
    """How the digits are changed: an augmentation, its dial, and the places of it."""

    change: Change
    dial: Literal["degrees", "mirror", "flip", "right", "zoom"]
    places: Annotated[tuple[Annotated[int, Field(ge=-180, le=180)], ...], Field(min_length=1, max_length=MOST_PLACES)]


def changed_digits(asked: dict[str, Any]) -> Answer:
    """What changed digits are taken for: each of the 500 validation digits by the nearest of the 3,500 unchanged ones.

    Returns:
        The arrays `counts` (places, 10, 10), digits by what they are and what they are taken for, and `examples`,
        uint8 (places, 10, 28, 28), the first digit of each class.
    """
    request = parse_request(ChangedDigitsRequest, asked)
    known, known_labels, digits, labels = _digits()
    first = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    counts, examples = [], []
    for place in request.places:
        # Digits in the place of channels: all of them in one go.
        settings = {"right": 0.0, "down": 0.0, request.dial: float(place)}
        changed = changed_at(request.change, digits, digits, settings)[0].astype(np.float32)
        counts.append(confusion_counts(changed.reshape(len(changed), -1), labels, known, known_labels, 10))
        examples.append(np.rint(255 * changed[first]).astype(np.uint8))
    return Answer({"num_known": len(known)}, {"counts": np.stack(counts), "examples": np.stack(examples)})


@cache
def _digits() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Training digits (M, D) and validation digits (N, 28, 28) from 0 to 1, each with their labels."""
    data = open_images(DataConfig(dataset="mnist5k"), data_dir(), download=False)
    assert isinstance(data.train, Images)
    assert isinstance(data.validation, Images)
    known = data.train.pixels.numpy().reshape(len(data.train), -1).astype(np.float32) / np.float32(255)
    digits = data.validation.pixels.numpy()[..., 0] / 255
    return known, data.train.labels.numpy(), digits, data.validation.labels.numpy()

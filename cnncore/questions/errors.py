"""Questions about where a network errs: what it says of every image of a split, and of disturbed ones."""

from __future__ import annotations

from collections import OrderedDict
from typing import Annotated, Any

import numpy as np
import torch
from PIL import Image
from pydantic import Field

from cnncore.analysis.robustness import SEED, Robustness, scan_robustness
from cnncore.analysis.scans import Work
from cnncore.analysis.split_outcomes import (
    Judged,
    SplitOutcomes,
    judged,
    kept_outcomes,
    scan_outcomes,
)
from cnncore.analysis.subjects import split_of
from cnncore.answers import Answer
from cnncore.config.requests import parse_request
from cnncore.data.batches import stored_pixels
from cnncore.errors import DataError
from cnncore.places import artifacts_dir, data_dir
from cnncore.questions.looking import ImagesRequest, in_pieces, subjects
from cnncore.runs.calibration import error_by_chance, error_with_temperature, fit_temperature, reliability
from cnncore.runs.outcomes import Outcomes
from cnncore.runs.subjects import parse_subject, subject_stamp
from cnncore.training.trained import TrainedNetwork

MOST_THUMBNAILS = 60
MOST_DISTURBED = 2_000
_MOST_SIDE = 160
"""Pixels of a thumbnail; larger images are shrunk."""
_MOST_KEPT = 4

_Kept = tuple[SplitOutcomes, dict[str, float | None]]
"""What a network says of a split, and how well calibrated it is."""

_RESIDENT: OrderedDict[str, _Kept] = OrderedDict()
"""What was answered last, since answers about a folder, whose images may change, are not kept on disk."""


def split_outcomes(asked: dict[str, Any]) -> Answer:
    """What a network says of every image of a split, in pieces; of more than 10,000, of as many evenly spread.

    Returns:
        `classes`, `split`, `total` (images of the split) and `calibration`: `error` (expected calibration error, 15
        bins of equal width), `by_chance` (what 95 of 100 calibrated networks would stay below) and, of validation
        images, `temperature` and `error_after`, null where there is none. The arrays `labels` (N,), `probabilities`
        (N, K), `names` (N,) and `places` (N,), the images' positions in the split.
    """
    request = parse_request(ImagesRequest, asked)
    return in_pieces("split_outcomes", request, lambda: _outcomes(request), _told)


def _outcomes(request: ImagesRequest) -> Work[_Kept]:
    network, found = _opened(request)
    stamp = subject_stamp(artifacts_dir(), data_dir(), parse_subject(request.network))
    key = f"{request.network} {stamp} {request.named()} {found.images.fingerprint} {request.split}"
    kept = _RESIDENT.pop(key, None)
    if kept is None:
        said = kept_outcomes(subjects(), request.network, found) or (yield from scan_outcomes(network, found))
        kept = said, (yield from _calibration(said.outcomes))
    _RESIDENT[key] = kept
    while len(_RESIDENT) > _MOST_KEPT:
        _RESIDENT.popitem(last=False)
    return kept


def _opened(request: ImagesRequest) -> tuple[TrainedNetwork, Judged]:
    network = request.trained()
    return network, judged(subjects(), network, request.network, request.named(), request.split)


def _told(kept: _Kept) -> Answer:
    found, calibration = kept
    said = found.outcomes
    facts = {"classes": said.classes, "split": said.split, "total": found.total, "calibration": calibration}
    arrays = {"labels": said.labels, "probabilities": said.probabilities, "names": said.names, "places": found.places}
    return Answer(facts, arrays)


def _calibration(said: Outcomes) -> Work[dict[str, float | None]]:
    """Facts that take up to a second each where there are many classes."""
    facts: dict[str, float | None] = {
        "error": reliability(said.confidence, said.predicted == said.labels).error,
        "by_chance": error_by_chance(said.confidence),
    }
    if said.split == "validation":
        yield len(said.labels), len(said.labels)
        facts["temperature"] = fit_temperature(said.probabilities, said.labels)
        yield len(said.labels), len(said.labels)
        facts["error_after"] = error_with_temperature(said.probabilities, said.labels)
    return facts


class RobustnessRequest(ImagesRequest):
    """By what the images are disturbed, and of how many."""

    change: str = Field(max_length=40, description="key of `cnncore.catalog.disturbances.DISTURBANCES`")
    most_images: int = Field(default=500, ge=1, le=MOST_DISTURBED)


def robustness(asked: dict[str, Any]) -> Answer:
    """How many images of a split a network tells right when they are disturbed more and more, in pieces.

    Returns:
        `change`, `severities` (the strengths), `counts` (images told right at each), `count` (images looked at),
        `total` (images of the split), `seed`, `size` (pixels of the images' side) and `classes`. The arrays `pixels`,
        uint8 (E, S, H, W, C), a few images at each strength, `said` and `confidence` (E, S), what the network said of
        them, `labels` and `places` (E,).
    """
    request = parse_request(RobustnessRequest, asked)

    def scan() -> Work[tuple[TrainedNetwork, Robustness]]:
        network, found = _opened(request)
        return network, (yield from scan_robustness(network, found, request.change, request.most_images))

    def told(result: tuple[TrainedNetwork, Robustness]) -> Answer:
        network, found = result
        facts = {
            "change": request.change,
            "severities": found.strengths,
            "counts": found.right.tolist(),
            "count": found.count,
            "total": found.total,
            "seed": SEED,
            "size": network.preprocessing.size,
            "classes": network.classes,
        }
        names = ("pixels", "said", "confidence", "labels", "places")
        return Answer(facts, {name: getattr(found, name) for name in names})

    return in_pieces("robustness", request, scan, told)


class ThumbnailsRequest(ImagesRequest):
    """Which images."""

    places: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=MOST_THUMBNAILS)]


def thumbnails(asked: dict[str, Any]) -> Answer:
    """Images of a split as the data set stores them, shrunk where they are large.

    Returns:
        The array `pixels`, uint8 (n, H, W, C), in the order of `places`.

    Raises:
        DataError: if there is no such image (any more).
    """
    request = parse_request(ThumbnailsRequest, asked)
    split = split_of(request.opened(request.trained()), request.split)
    if request.places and max(request.places) >= len(split):
        raise DataError(f"There is no {request.split} image {max(request.places)}.", f"Allowed: 0 to {len(split) - 1}.")
    if not request.places:
        return Answer({}, {"pixels": np.zeros((0, 1, 1, 3), np.uint8)}, lasting=False)
    pixels = stored_pixels(split, torch.tensor(request.places))
    return Answer({}, {"pixels": np.stack([_small(each) for each in pixels])}, lasting=request.lasts)


def _small(pixels: np.ndarray) -> np.ndarray:
    if max(pixels.shape[:2]) <= _MOST_SIDE:
        return pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((_MOST_SIDE, _MOST_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image).reshape(image.height, image.width, pixels.shape[-1])

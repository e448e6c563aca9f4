"""Questions about the trained networks of runs: what they say of pictures and of the images of a split."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from cnncore.analysis.disagreement import disagree
from cnncore.analysis.outcomes import outcomes_on
from cnncore.analysis.pictures import pictures_of_set, uploaded_pictures
from cnncore.analysis.prediction import MOST_PICTURES, Picture, Seen, channels, heat_of, predict, tensors_of
from cnncore.answers import Answer
from cnncore.config import Section
from cnncore.config.requests import parse_request
from cnncore.places import artifacts_dir, data_dir, database_url
from cnncore.questions.looking import subjects
from cnncore.runs.store import RunStore


class DisagreementRequest(Section):
    """Two runs and the images to compare them on; `stamp` changes whenever their weights do."""

    a: str = Field(pattern=r"^[0-9a-f]{6,32}$")
    b: str = Field(pattern=r"^[0-9a-f]{6,32}$")
    split: Literal["validation", "test"] = "test"
    stamp: str = Field(default="", max_length=200)


def disagreement(asked: dict[str, Any]) -> Answer:
    """Two networks on the same images, see `cnncore.analysis.disagreement.Disagreement`.

    Returns:
        `classes`, `total`, `count` and `counts`, and the arrays of the examples.
    """
    request = parse_request(DisagreementRequest, asked)
    store = RunStore(database_url())
    try:
        a, b = store.get(request.a), store.get(request.b)
    finally:
        store.engine.dispose()
    found = disagree(artifacts_dir(), data_dir(), a, b, request.split)
    facts = {"classes": found.classes, "total": found.total, "count": found.count, "counts": found.counts}
    return Answer(facts, found.examples, lasting=a.config["data"]["dataset"] != "folder")


class Upload(Section):
    """A picture that was uploaded."""

    token: str = Field(max_length=64, description="token of `cnncore.runs.uploads.keep_upload`")
    name: str = Field(default="the picture", max_length=255, description="how a person calls it")


class PicturesRequest(Section):
    """A run, and pictures for its network; `stamp` changes whenever its weights do.

    Places count the uploads first, then the images of the set.
    """

    run: str = Field(pattern=r"^[0-9a-f]{6,32}$")
    uploads: Annotated[tuple[Upload, ...], Field(max_length=MOST_PICTURES)] = ()
    image_set: str = Field(default="", max_length=40, description="id@version")
    keys: Annotated[tuple[int, ...], Field(max_length=MOST_PICTURES)] = ()
    stamp: str = Field(default="", max_length=200)

    def pictures(self) -> list[Picture]:
        """All of them.

        Raises:
            LabError: if one is not there (any more).
        """
        found = uploaded_pictures(artifacts_dir(), [(each.token, each.name) for each in self.uploads])
        return [*found, *pictures_of_set(data_dir(), self.image_set, self.keys)] if self.keys else found

    @property
    def lasts(self) -> bool:
        """Whether the answer stays what it is: images of a set at one version never change."""
        return bool(self.stamp) and not self.uploads


class PredictRequest(PicturesRequest):
    """What is wanted beside the classes."""

    pixels: bool = Field(default=False, description="what the network saw of each picture")
    tensor: bool = Field(default=False, description="the exact numbers of the first one")


def prediction(asked: dict[str, Any]) -> Answer:
    """What the network of a run says of pictures, and whether they are like anything it knows.

    Returns:
        `classes`; `places` (of the N answered pictures), `refused` (place: why, one sentence) and `left` (places that
        there was no time for: ask again); `nearest`, what the most similar training image of each is called;
        `familiarity` (null, or `threshold`, `false_alarms`, `held_out` and `explanation`); `preprocessing`. The arrays
        `top` and `shares` (N, T), `distances` (N,), NaN where unknown, and `statistics` (N, C, 4): least, mean, largest
        value and deviation of each channel. If asked for, `pixels`, uint8 (N, H, W, C), and `tensor`, float32
        (C, H, W).
    """
    request = parse_request(PredictRequest, asked)
    network = subjects().network(f"run:{request.run}")
    found = predict(network, request.pictures())
    tensors = tensors_of(network, found.seen.pixels)
    arrays = {"top": found.top, "shares": found.shares, "distances": found.distances, "statistics": channels(tensors)}
    if request.pixels:
        arrays["pixels"] = found.seen.pixels
    if request.tensor and len(tensors):
        arrays["tensor"] = tensors[0]
    known = network.familiarity
    facts = {
        **_seen(found.seen),
        "classes": network.classes,
        "nearest": found.nearest,
        "familiarity": known and known.to_dict(),
        "preprocessing": network.preprocessing.to_dict(),
    }
    return Answer(facts, arrays, lasting=request.lasts and not found.seen.left)


class HeatRequest(PicturesRequest):
    """Of which classes, and by the maps of which layer."""

    classes: Annotated[tuple[int, ...], Field(max_length=MOST_PICTURES)] = Field(
        default=(), description="the class of each picture; the most probable ones if not given"
    )
    layer: str = Field(default="", max_length=200)


def heat(asked: dict[str, Any]) -> Answer:
    """Grad-CAM: where the network of a run sees a class in each picture.

    Returns:
        `places`, `refused` and `left` as `prediction` has them, `classes` (the names) and `layer`. The arrays `shown`
        (N,), the class of each picture, `maps`, uint8 (N, H, W) from 0 to 255, and `pixels`, uint8 (N, H, W, C), which
        `cnncore.images.heat_map.overlay` puts together.
    """
    request = parse_request(HeatRequest, asked)
    network = subjects().network(f"run:{request.run}")
    found = heat_of(network, request.pictures(), request.classes, request.layer)
    maps = np.rint(255 * found.maps).astype(np.uint8)
    facts = {**_seen(found.seen), "classes": network.classes, "layer": found.layer}
    arrays = {"shown": found.classes, "maps": maps, "pixels": found.seen.pixels}
    return Answer(facts, arrays, lasting=request.lasts and not found.seen.left)


class OutcomesRequest(Section):
    """A run, and a split of an image set at a version; `stamp` changes whenever the run's weights do."""

    run: str = Field(pattern=r"^[0-9a-f]{6,32}$")
    image_set: str = Field(max_length=40, description="id@version")
    split: Literal["validation", "test"] = "validation"
    stamp: str = Field(default="", max_length=200)


def outcomes(asked: dict[str, Any]) -> Answer:
    """What the network of a run says of each image of a split, see `cnncore.runs.outcomes.Outcomes`.

    Returns:
        `split` and `classes`, and the arrays `names`, `labels` and `probabilities`.
    """
    request = parse_request(OutcomesRequest, asked)
    network = subjects().network(f"run:{request.run}")
    found = outcomes_on(network, data_dir(), request.image_set, request.split)
    arrays = {"names": found.names, "labels": found.labels, "probabilities": found.probabilities}
    return Answer({"split": found.split, "classes": found.classes}, arrays, lasting=bool(request.stamp))


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "places": seen.places,
        "refused": {str(place): why for place, why in seen.refused.items()},
        "left": seen.left,
    }

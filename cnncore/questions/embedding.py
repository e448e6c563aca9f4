"""The question where the images of a split lie for a network."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from pydantic import Field

from cnncore.analysis.embedding import MOST, Method, Observed, Plane, embed, observe
from cnncore.analysis.scans import Work
from cnncore.answers import Answer
from cnncore.config.requests import parse_request
from cnncore.images.picture_reference import parse_images
from cnncore.questions.looking import ImagesRequest, in_pieces

MOST_KEPT = 3
_OBSERVED: OrderedDict[str, Observed] = OrderedDict()
"""What was observed last, so that another method or seed need not look at the images again."""


class EmbeddingRequest(ImagesRequest):
    """A network, images for it, and how they are brought down to two dimensions."""

    method: Method = "pca"
    most_images: int = Field(default=1_000, ge=3, le=MOST["pca"])
    seed: int = Field(default=0, ge=0, le=2**31 - 1)

    @property
    def most(self) -> int:
        """Images to look at."""
        return min(self.most_images, MOST[self.method])


def embedding(asked: dict[str, Any]) -> Answer:
    """Where at most `most_images` images of a split lie, see `cnncore.analysis.embedding`.

    Returns:
        `classes` (of the images), `says` (of the network), `comparable` (whether the network knows the images'
        classes), `names` (of the pictures of an image set, else null), `num_features`, `total` (images of the split),
        `variance`, `perplexity`, `trustworthiness`, `judged`, `same_class` as `Plane` has them, and a `note` on how far
        the plane can be trusted. The arrays `points`, float32 (N, 2), `labels`, `predicted`, `confidence` and `places`
        (N,), `thumbnails`, uint8 (N, s, s, C), and `similar`, rows (N, k). Until they are there, `pending`.
    """
    request = parse_request(EmbeddingRequest, asked)
    return in_pieces(
        "embedding",
        request,
        lambda: embed(lambda: _observed(request), request.method, request.seed),
        lambda found: _answer(request, *found),
    )


def _observed(request: EmbeddingRequest) -> Work[Observed]:
    key = f"{request.network} {request.stamp} {request.named()} {request.split} {request.most}"
    found = _OBSERVED.pop(key, None) if request.lasts else None
    if found is None:
        network = request.trained()
        found = yield from observe(network, request.opened(network), request.split, request.most)
    if request.lasts:
        _OBSERVED[key] = found
    while len(_OBSERVED) > MOST_KEPT:
        _OBSERVED.popitem(last=False)
    return found


def _answer(request: EmbeddingRequest, observed: Observed, plane: Plane) -> Answer:
    says = request.trained().classes
    is_set = parse_images(request.named()).kind == "set"
    facts = {
        "classes": observed.classes,
        "says": says,
        "comparable": set(observed.classes) <= set(says),
        "names": [str(name) for name in observed.names] if is_set and observed.names is not None else None,
        "num_features": observed.features.shape[1],
        "total": observed.total,
        "variance": plane.variance,
        "perplexity": plane.perplexity,
        "trustworthiness": plane.trustworthiness,
        "judged": plane.judged,
        "same_class": plane.same_class,
        "note": _note(plane),
    }
    arrays = {
        "points": plane.points,
        "labels": observed.labels.astype(np.int32),
        "predicted": observed.predicted.astype(np.int32),
        "confidence": observed.confidence,
        "places": observed.places.astype(np.int32),
        "thumbnails": observed.thumbnails,
        "similar": plane.similar.astype(np.int16),
    }
    return Answer(facts, arrays)


def _note(plane: Plane) -> str:
    """One sentence on how far the plane can be trusted."""
    if plane.trustworthiness is None:
        return "The network gives all these images the same features, so they lie on one point."
    kept = f"The plane keeps {sum(plane.variance):.0%} of the features' variance, and its" if plane.variance else "Its"
    return (
        f"{kept} trustworthiness is {plane.trustworthiness:.2f} of 1: how far the {plane.judged} nearest of an image "
        "here are near it in the features, too (Venna and Kaski, 2001)."
    )

"""Where images lie for a network: the features its head receives, brought down to two dimensions.

PCA (Hotelling, 1933) keeps the plane in which the features vary most. t-SNE (van der Maaten and Hinton, 2008; in
scikit-learn, approximated as by van der Maaten, 2014) puts near what is near in the features' first 50 principal
components; it starts from the first two rather than at random (Kobak and Berens, 2019). How well a plane keeps
neighborhoods is measured by its trustworthiness (Venna and Kaski, 2001).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from cnncore.analysis.scans import Work
from cnncore.analysis.subjects import pixels_at, shown, split_of
from cnncore.data import ImageData
from cnncore.errors import DataError
from cnncore.training.trained import Look, TrainedNetwork

Method = Literal["pca", "tsne"]
MOST: dict[Method, int] = {"pca": 3_000, "tsne": 1_500}
"""Images that are looked at; t-SNE of 1,500 takes some 6 s on one core."""
FEWEST = 3
PERPLEXITY = 30.0
COMPONENTS = 50
JUDGED = 10
"""Nearest images of each one by which a plane is judged."""
SIMILAR = 11
"""Nearest images of each one that are told."""

_THUMBNAIL_PX = 48
_THUMBNAIL_BYTES = 7_000_000
"""Of all thumbnails together."""
_BATCH_PIXELS = 64 * 32 * 32
"""Of images that are looked at together; the same in every run, since other batches round otherwise."""
_EXACT = 128
"""Features up to which all principal components are computed."""
_LOOK_S = 0.2

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True, eq=False, kw_only=True)
class Observed:
    """What a network makes of N images of a split.

    Attributes:
        classes: Names of the images' classes.
        names: What the images are called, (N,), see `ImageData.names`; None where they have no names.
        places: Positions in the split, ascending, (N,).
        total: Images of the split.
        labels: Class of each, as the images count them, (N,).
        predicted: Class of each, as the network counts them, (N,).
        confidence: Its probability, (N,).
        features: What the head receives, (N, D).
        thumbnails: uint8 (N, s, s, C).
    """

    classes: tuple[str, ...]
    names: npt.NDArray[np.str_] | None
    places: Integers
    total: int
    labels: Integers
    predicted: Integers
    confidence: Floats
    features: Floats
    thumbnails: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False, kw_only=True)
class Plane:
    """N images in two dimensions.

    Attributes:
        points: (N, 2).
        variance: Shares of the features' variance along the two axes; None for t-SNE.
        perplexity: About how many neighbors t-SNE looks at; None for PCA.
        trustworthiness: From 0 to 1, 1 where each image's nearest ones on the plane are also near in the features;
            None where all images have the same features.
        judged: How many nearest ones that is about.
        same_class: Share of the nearest ones in the features that are of the same class, mean over the images.
        similar: The nearest images in the features, nearest first, (N, k), as rows.
    """

    points: Floats
    variance: tuple[float, float] | None
    perplexity: float | None
    trustworthiness: float | None
    judged: int
    same_class: float
    similar: Integers


def spread(labels: Integers, most: int) -> Integers:
    """At most `most` positions, ascending: of each class its share, to within one, evenly spread over the class."""
    by_class = np.argsort(labels, kind="stable")
    chosen = by_class[np.linspace(0, len(labels) - 1, min(most, len(labels))).round().astype(np.int64)]
    return np.sort(chosen)


def observe(network: TrainedNetwork, images: ImageData, split: str, most: int) -> Work[Observed]:
    """What a network makes of the images of a split.

    Args:
        network: Any.
        images: An open data set.
        split: train, validation or test.
        most: Images to look at, see `spread`.

    Raises:
        DataError: if there are too few images, or the features are no numbers.
    """
    labels = split_of(images, split).labels.cpu().numpy().astype(np.int64)
    if len(labels) < FEWEST:
        raise DataError(f"There are only {len(labels)} {split} images.", f"Choose a split with at least {FEWEST}.")
    places = spread(labels, most)
    side = _thumbnail_side(len(places), network.preprocessing.size, network.preprocessing.channels)
    batch = min(max(_BATCH_PIXELS // network.preprocessing.size**2, 1), 64)
    looks: list[Look] = []
    thumbnails: list[npt.NDArray[np.uint8]] = []
    for start in range(0, len(places), batch):
        seen = [shown(network, pixels_at(images, split, int(place))[0]) for place in places[start : start + batch]]
        looks.append(network.look(torch.cat([each.tensor for each in seen])))
        thumbnails += [_thumbnail(each.pixels, side) for each in seen]
        yield min(start + batch, len(places)), len(places)
    look = Look.joined(looks)
    if not torch.isfinite(look.features).all():
        raise DataError("The network's features of these images are no numbers.", "Choose another network.")
    confidence, predicted = look.probabilities.max(dim=1)
    return Observed(
        classes=images.classes,
        names=images.names[split][places] if images.names else None,
        places=places,
        total=len(labels),
        labels=labels[places],
        predicted=predicted.numpy(),
        confidence=confidence.numpy(),
        features=look.features.numpy(),
        thumbnails=np.stack(thumbnails),
    )


def arrange(observed: Observed, method: Method, seed: int) -> Plane:
    """The images in two dimensions.

    Args:
        observed: At least `FEWEST` images.
        method: pca or tsne.
        seed: The same one gives the same result. It hardly matters: only where the components are searched for, since
            t-SNE starts from them.
    """
    features = observed.features
    distances = _distances(features)
    similar = np.argsort(distances + np.diag(np.full(len(features), np.inf)), axis=1, kind="stable")
    judged = min(JUDGED, (len(features) - 1) // 2)
    near = similar[:, :judged]
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3) if method == "tsne" else None
    variance: tuple[float, float] | None = None
    flat = bool((features == features[0]).all())
    if flat:
        points = np.zeros((len(features), 2), np.float32)
    elif perplexity is None:
        points, variance = _components(features, 2, seed)
    else:
        points = _tsne(_components(features, COMPONENTS, seed)[0], perplexity, seed)
    return Plane(
        points=points,
        variance=variance,
        perplexity=perplexity,
        trustworthiness=None if flat else _trustworthiness(distances, points, judged),
        judged=judged,
        same_class=float((observed.labels[near] == observed.labels[:, None]).mean()),
        similar=similar[:, : min(SIMILAR, len(features) - 1)],
    )


def embed(observe_first: Callable[[], Work[Observed]], method: Method, seed: int) -> Work[tuple[Observed, Plane]]:
    """Look at images, then arrange them.

    t-SNE cannot be done in pieces, so it has a thread of its own: whoever asks something else in the meantime need not
    wait for all of it.
    """
    observed: Observed | None = None
    looking = observe_first()
    while observed is None:
        try:
            done, total = next(looking)
        except StopIteration as finished:
            observed = finished.value
        else:
            yield done, _with_arranging(total)
    total = _with_arranging(len(observed.places))
    plane = _beside(lambda: arrange(observed, method, seed))
    for arranged in plane:
        if arranged is not None:
            return observed, arranged
        yield len(observed.places), total
    raise AssertionError("a thread ended without a result")


def _with_arranging(count: int) -> int:
    """How much there is to do where so many images are looked at: arranging them is taken for a fifth of it."""
    return math.ceil(count * 1.25)


def _beside(compute: Callable[[], T]) -> Iterator[T | None]:
    """None every fifth of a second, until a thread has computed the result, which is the last."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(compute())
        except BaseException as problem:
            future.set_exception(problem)

    # A daemon, so that a service that ends need not wait for it.
    threading.Thread(target=run, name="embedding", daemon=True).start()
    while True:
        try:
            yield future.result(timeout=_LOOK_S)
            return
        except TimeoutError:
            yield None


def _thumbnail_side(count: int, size: int, channels: int) -> int:
    side = min(_THUMBNAIL_PX, math.isqrt(_THUMBNAIL_BYTES // (count * channels)))
    # A JPEG of many of them keeps them apart where they consist of whole blocks of eight.
    return min(size, side - side % 8)


def _thumbnail(pixels: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    if pixels.shape[0] <= side:
        return pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    small = np.asarray(image.resize((side, side), Image.Resampling.BOX))
    return small.reshape(side, side, pixels.shape[-1])


def _distances(features: Floats) -> npt.NDArray[np.float64]:
    """Euclidean, (N, N)."""
    centered = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    squares = (centered**2).sum(axis=1)
    found = np.maximum(squares[:, None] + squares[None] - 2 * centered @ centered.T, 0)
    np.fill_diagonal(found, 0)
    return np.sqrt(found)


def _components(features: Floats, count: int, seed: int) -> tuple[Floats, tuple[float, float]]:
    """The first principal components, (N, at least 2), and the shares of the variance along the first two."""
    from sklearn.decomposition import PCA  # takes two seconds to load, with SciPy

    most = min(features.shape)
    # All of them take minutes where there are thousands of features; both ways are exact.
    solver: dict[str, Any] = {"svd_solver": "full" if most <= max(count, _EXACT) else "arpack", "random_state": seed}
    found = PCA(n_components=min(count, most), **solver)
    points = found.fit_transform(features.astype(np.float64)).astype(np.float32)
    shares = [float(share) for share in found.explained_variance_ratio_[:2]]
    if points.shape[1] < 2:
        points, shares = np.pad(points, ((0, 0), (0, 1))), [*shares, 0.0]
    return points, (shares[0], shares[1])


def _tsne(components: Floats, perplexity: float, seed: int) -> Floats:
    from sklearn.manifold import TSNE

    return TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=1).fit_transform(components)


def _trustworthiness(distances: npt.NDArray[np.float64], points: Floats, judged: int) -> float:
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(distances, points, n_neighbors=judged, metric="precomputed"))

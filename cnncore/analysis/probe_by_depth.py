"""How much of a task can be read off each stage of a network: linear classifiers on what the stages leave.

Alain and Bengio: Understanding intermediate layers using linear classifier probes, 2016: the deeper the layer, the
better its features can be told apart by a plane. Our deviations: each map is brought down to its mean, since the
first maps have a hundred thousand numbers; few images, so each is judged by a probe that was fitted without it
(stratified cross-validation); the pixels themselves, averaged to 8 × 8, are the first thing that is probed. A probe is
multinomial logistic regression with a fixed penalty on features of mean 0 and deviation 1; nothing is tuned.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.analysis.exciting_patches import spread
from cnncore.analysis.layers import map_layers
from cnncore.analysis.scans import Work
from cnncore.analysis.subjects import split_of, tensors_at
from cnncore.catalog.stages import PIXELS, stage_ends
from cnncore.data import ImageData
from cnncore.errors import ConfigError, DataError
from cnncore.training.trained import TrainedNetwork

PIXEL_SIDE = 8
MOST_CLASSES = 5
MOST_PER_CLASS = 60
FOLDS = 5
PENALTY = 10.0
"""What the sum of the squared weights, halved, is multiplied by, against the summed losses of the images."""
_BATCH = 8

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One depth.

    Attributes:
        key: `PIXELS`, or a key of `cnncore.catalog.stages_of`.
        num_features: Numbers that the probe gets of an image.
        correct: Images whose class a probe that had not seen them tells.
    """

    key: str
    num_features: int
    correct: int


@dataclass(frozen=True, kw_only=True)
class ProbedDepths:
    """All depths, from the pixels to the last stage.

    Attributes:
        probes: Input side first.
        classes: Names of the classes.
        num_images: Of all classes together.
    """

    probes: tuple[Probe, ...]
    classes: tuple[str, ...]
    num_images: int


def probe_by_depth(
    network: TrainedNetwork, images: ImageData, split: str, *, per_class: int = MOST_PER_CLASS, seed: int = 0
) -> Work[ProbedDepths]:
    """Probe what the stages of a network leave of images: the first classes, as many of each.

    Args:
        network: One whose stages leave maps.
        images: An open data set.
        split: train, validation or test.
        per_class: So many images of each class at most, evenly spread over it.
        seed: Of the division into folds.

    Raises:
        DataError: if there are fewer than two classes with enough images.
        ConfigError: if no stage of the network leaves maps.
    """
    name = network.card["config"]["model"]["name"]
    ends = {key: layer for key, layer in stage_ends(name).items() if layer in map_layers(network)}
    if not ends:
        raise ConfigError("network", f"No stage of {name} leaves maps.", "Choose another network.")
    labels = split_of(images, split).labels.cpu().numpy().astype(np.int64)
    chosen, places = _chosen(labels, per_class)
    parts: list[dict[str, Tensor]] = []
    total = len(places) + (len(ends) + 1) * FOLDS
    for start in range(0, len(places), _BATCH):
        batch = tensors_at(network, images, split, places[start : start + _BATCH].tolist())
        parts.append(_features(network, batch, ends))
        yield min(start + _BATCH, len(places)), total
    targets = np.searchsorted(chosen, labels[places])
    folds = folded(targets, FOLDS, seed)
    probes: list[Probe] = []
    for key in (PIXELS, *ends):
        features = torch.cat([part[key] for part in parts]).numpy()
        correct = 0
        for fold in range(FOLDS):
            held = folds == fold
            said = fitted(features[~held], targets[~held])(features[held])
            correct += int((said == targets[held]).sum())
            yield len(places) + len(probes) * FOLDS + fold + 1, total
        probes.append(Probe(key=key, num_features=features.shape[1], correct=correct))
    return ProbedDepths(
        probes=tuple(probes), classes=tuple(images.classes[label] for label in chosen), num_images=len(places)
    )


def _chosen(labels: Integers, per_class: int) -> tuple[Integers, Integers]:
    """The classes, ascending, and the positions of their images: as many of each class, at least two a fold."""
    found, counts = np.unique(labels, return_counts=True)
    classes = found[counts >= 2 * FOLDS][:MOST_CLASSES]
    if len(classes) < 2:
        raise DataError(
            f"There are not two classes with {2 * FOLDS} images each.", "Choose a set with more images a class."
        )
    count = min(per_class, int(counts[np.isin(found, classes)].min()))
    members = [np.flatnonzero(labels == label) for label in classes]
    return classes, np.concatenate([each[spread(len(each), count)] for each in members])


def _features(network: TrainedNetwork, batch: Tensor, ends: dict[str, str]) -> dict[str, Tensor]:
    """Of each depth the features of a batch, (N, D), on the CPU; in fp32 whatever the network was trained in."""
    found = {PIXELS: functional.adaptive_avg_pool2d(batch.float(), PIXEL_SIDE).flatten(1).cpu()}

    def keep(key: str, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        found[key] = output.float().mean(dim=(2, 3)).cpu()

    with ExitStack() as stack:
        for key, layer in ends.items():
            module = network.model.get_submodule(layer)
            stack.callback(module.register_forward_hook(partial(keep, key)).remove)
        stack.enter_context(torch.inference_mode())
        network.model(batch.to(network.device, torch.float32).to(memory_format=torch.channels_last))
    return found


def folded(targets: Integers, folds: int, seed: int) -> Integers:
    """The fold of each image, int64 (N,): every class is spread over all of them, to within one image."""
    drawn = np.random.default_rng(seed)
    found = np.zeros(len(targets), np.int64)
    for label in np.unique(targets):
        members = drawn.permutation(np.flatnonzero(targets == label))
        found[members] = np.arange(len(members)) % folds
    return found


def fitted(features: Floats, targets: Integers) -> Callable[[Floats], Integers]:
    """A probe fitted to features (N, D): a function that tells the classes of others."""
    # Imported late: it takes over a second, which other questions need not wait for.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mean, deviation = features.mean(axis=0), features.std(axis=0)
    # What is the same in all images says nothing.
    scale = np.where(deviation > 0, deviation, 1)

    def scaled(values: Floats) -> npt.NDArray[np.float64]:
        return ((values - mean) / scale).astype(np.float64)

    model = LogisticRegression(C=1 / PENALTY, max_iter=500)
    with warnings.catch_warnings():
        # A hair's breadth from the optimum changes no prediction that matters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(scaled(features), targets)
    return lambda values: np.asarray(model.predict(scaled(values)), np.int64)

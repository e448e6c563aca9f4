"""What the network of a run says of the images of a set at another version: before and after some were relabeled."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from cnncore.config import DataConfig
from cnncore.data import ImageData, open_images
from cnncore.errors import DataError, LabError, RunError
from cnncore.images.store import open_sets
from cnncore.runs.outcomes import Outcomes
from cnncore.training.outcomes import MOST_OUTCOMES, outcomes_of
from cnncore.training.trained import TrainedNetwork

SPLITS = ("validation", "test")


def outcomes_on(network: TrainedNetwork, data_root: Path, image_set: str, split: str = "validation") -> Outcomes:
    """Put a split of an image set through a trained network, with the preprocessing the network was trained with.

    Args:
        network: Of any run.
        data_root: Folder of the data sets.
        image_set: id@version.
        split: validation or test.

    Returns:
        The outcomes, with the classes in the network's order; without the images that the network has learned, where
        they came to this split later.

    Raises:
        LabError: if there is no such set or split, or it has images of a class that the network does not know.
    """
    made = network.preprocessing
    if made.channels != 3:
        raise RunError("The network takes gray images, an image set has colors.", "Choose another run.")
    # Mean and deviation need not be measured: the network has its own.
    data = {"dataset": "image_set", "image_set": image_set, "image_size": made.size, "normalize": "unit"}
    config = DataConfig.model_validate({**data, "crop": made.crop, "interpolation": made.interpolation})
    images = open_images(config, data_root, download=False)
    chosen = {"validation": images.validation, "test": images.test}.get(split)
    if chosen is None or not len(chosen):
        raise RunError(f"There are no {split} images.", f"Splits: {', '.join(SPLITS)}.")
    if len(chosen) > MOST_OUTCOMES:
        raise DataError(f"There are {len(chosen):,} {split} images; at most {MOST_OUTCOMES:,} can be looked at.")
    found = outcomes_of(network, split, images)
    found = dataclasses.replace(found, classes=network.classes, labels=_labels(network, images, found))
    return _unlearned(network, data_root, image_set, found)


def _unlearned(network: TrainedNetwork, data_root: Path, image_set: str, found: Outcomes) -> Outcomes:
    """The outcomes of images that are not among those the network was trained on, whatever split they are in now."""
    trained_on = network.card["config"]["data"].get("image_set") or ""
    if trained_on.partition("@")[0] != image_set.partition("@")[0]:
        return found
    try:
        records = open_sets(data_root).at(trained_on).included("train")
    except LabError:  # a version that is gone: nothing is known of it
        return found
    new = ~np.isin(found.names, [str(record.key) for record in records])
    if not new.any():
        raise DataError(
            f"The network was trained on all {found.split} images of this version.", "Divide the images differently."
        )
    kept = {name: getattr(found, name)[new] for name in ("names", "labels", "probabilities")}
    return dataclasses.replace(found, **kept)


def _labels(network: TrainedNetwork, images: ImageData, found: Outcomes) -> np.ndarray:
    """The labels as the network counts its classes, which are those of another version."""
    unknown = [
        images.classes[label] for label in np.unique(found.labels) if images.classes[label] not in network.classes
    ]
    if unknown:
        raise DataError(
            f"The network knows no class {unknown[0]!r}, which this version of the images has.",
            "Train a new one on it.",
        )
    places = [network.classes.index(name) if name in network.classes else -1 for name in images.classes]
    return np.array(places, np.int64)[found.labels]

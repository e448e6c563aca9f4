"""What is kept when a training ends: what the network says of each held-out image, and what it is familiar with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cnncore.data import ImageData, Split
from cnncore.runs.outcomes import OUTCOMES, Outcomes, save_outcomes
from cnncore.training.familiarity import FAMILIARITY, MAX_IMAGES, measure_familiarity, save_familiarity
from cnncore.training.loop import Loaders
from cnncore.training.state import TrainState
from cnncore.training.trained import BATCH, Look, TrainedNetwork, load_trained
from cnncore.transfer.feature_batches import FeatureBatches

MOST_OUTCOMES = 10_000
"""Held-out images of which outcomes are kept; a run with more has none."""
_TIME_SHARE, _LEAST_S = 0.1, 5.0
"""Looking at the training images again ends after this share of the time the training took, or so many seconds."""
_SEED = 0
_OWN = ("folder", "image_set")
"""Data sets of a person's own images, whose outcomes are kept."""


def keep_outcomes(folder: Path, state: TrainState, images: ImageData, loaders: Loaders) -> Iterator[tuple[str, int]]:
    """Write `outcomes.npz`, of own images, and `familiarity.npz` beside the weights of a training that has ended.

    Args:
        folder: The run's.
        state: The training.
        images: What it saw.
        loaders: The batches it saw; kept features spare the backbone the work.

    Yields:
        Name and size in bytes of each file.
    """
    network = load_trained(folder, state.device, state.precision)
    source = loaders.now(state)
    eyes = _Eyes(network, images, source if source is not loaders else None)
    held_out = {name: split for name, split in _splits(images).items() if name != "train" and len(split)}
    looks: dict[str, Look] = {}
    if state.config.data.dataset in _OWN and 0 < sum(map(len, held_out.values())) <= MOST_OUTCOMES:
        looks = {name: eyes.whole(name) for name in held_out}
        yield (
            OUTCOMES,
            save_outcomes(folder / OUTCOMES, [_outcomes(look, name, images) for name, look in looks.items()]),
        )
    end = time.monotonic() + max(_LEAST_S, _TIME_SHARE * state.elapsed_s)
    rows, features = eyes.sampled("train", end)
    if len(features) < 2:
        return
    others = features[:0]
    if "validation" in looks:
        others = looks["validation"].features[:MAX_IMAGES]
    elif "validation" in held_out:
        _, others = eyes.sampled("validation", end)
    names = image_names(images, "train")[rows.numpy()]
    yield FAMILIARITY, save_familiarity(folder, measure_familiarity(features.numpy(), names, others.numpy()))


def forget_outcomes(folder: Path) -> None:
    """Remove both files: the training goes on."""
    for name in (OUTCOMES, FAMILIARITY):
        (folder / name).unlink(missing_ok=True)


def outcomes_of(network: TrainedNetwork, name: str, images: ImageData) -> Outcomes:
    """What a network says of a split that the data set has."""
    return _outcomes(_Eyes(network, images).whole(name), name, images)


def image_names(images: ImageData, name: str) -> np.ndarray:
    """What the images of a split are called, strings (N,); their positions where they have no names."""
    if images.names is None:
        return np.arange(len(_splits(images)[name])).astype(np.str_)
    return images.names[name]


def _splits(images: ImageData) -> dict[str, Split]:
    splits = {"train": images.train, "validation": images.validation, "test": images.test}
    return {name: split for name, split in splits.items() if split is not None}


def _outcomes(look: Look, name: str, images: ImageData) -> Outcomes:
    return Outcomes(
        split=name,
        classes=images.classes,
        names=image_names(images, name),
        labels=_splits(images)[name].labels.cpu().numpy(),
        probabilities=look.probabilities.numpy(),
    )


@dataclass(frozen=True, eq=False)
class _Eyes:
    """How a network is shown images: as pixels, or as the features that were kept of them.

    Attributes:
        kept: Batches of features; None where the network has to see the pixels.
    """

    network: TrainedNetwork
    images: ImageData
    kept: Loaders | None = None

    def looks(self, name: str, positions: Tensor) -> Iterator[Look]:
        """What it makes of these images of a split, batch by batch."""
        if self.kept is None:
            split = _splits(self.images)[name]
            return self.network.look_at(split.select(positions.to(split.labels.device)))
        batches = {"train": self.kept.train, "validation": self.kept.validation, "test": self.kept.test}[name]
        assert isinstance(batches, FeatureBatches)
        return (self.network.look_from(batch.images) for batch in batches.select(positions).epoch(0))

    def whole(self, name: str) -> Look:
        """What it makes of a split."""
        looks = list(self.looks(name, torch.arange(len(_splits(self.images)[name]))))
        return Look(
            features=torch.cat([look.features for look in looks]),
            probabilities=torch.cat([look.probabilities for look in looks]),
        )

    def sampled(self, name: str, end: float) -> tuple[Tensor, Tensor]:
        """Positions (M,) and features (M, D) of images drawn at random, as many as time allows, at least one batch."""
        generator = torch.Generator().manual_seed(_SEED)
        order = torch.randperm(len(_splits(self.images)[name]), generator=generator)[:MAX_IMAGES]
        found: list[Tensor] = []
        for positions in order.split(BATCH):
            if found and time.monotonic() > end:
                break
            found += [look.features for look in self.looks(name, positions)]
        features = torch.cat(found)
        return order[: len(features)], features

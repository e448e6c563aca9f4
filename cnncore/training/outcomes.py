"""What is kept when a training ends: what the network says of each held-out image, and what it is familiar with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cnncore.data import ImageData, Progress, Split
from cnncore.runs.outcomes import OUTCOMES, Outcomes, save_outcomes
from cnncore.training.familiarity import FAMILIARITY, MAX_IMAGES, measure_familiarity, save_familiarity
from cnncore.training.loop import Loaders
from cnncore.training.state import TrainState
from cnncore.training.trained import Look, TrainedNetwork, load_trained
from cnncore.transfer.feature_batches import FeatureBatches

MOST_OUTCOMES = 10_000
"""Held-out images of which outcomes are kept; a run with more has none."""
_TIME_SHARE, _LEAST_S, _MOST_S = 0.1, 5.0, 120.0
"""Looking at training images once more ends after this share of the time the training took, within these seconds."""
_SEED = 0
_OWN = ("folder", "image_set")
"""Data sets of a person's own images, whose outcomes are kept."""


def keep_outcomes(
    folder: Path, state: TrainState, images: ImageData, loaders: Loaders, progress: Progress
) -> Iterator[tuple[str, int]]:
    """Write `outcomes.npz`, of own images, and `familiarity.npz` beside the weights of a training that has ended.

    Where features of the images were kept, the backbone is not run again.

    Args:
        folder: The run's.
        state: The state at the end.
        images: What it was trained on.
        loaders: The batches of them.
        progress: Told the split that is looked at, how many of its images were, and of how many.

    Yields:
        Name and size in bytes of each file.
    """
    kept = loaders.features if state.keeps_features else None
    looks = _Looks(load_trained(folder, state.device, state.precision), images, kept, progress)
    held_out = {name: len(split) for name, split in _splits(images).items() if name != "train" and len(split)}
    whole: dict[str, Look] = {}
    if state.config.data.dataset in _OWN and 0 < sum(held_out.values()) <= MOST_OUTCOMES:
        whole = {name: looks.whole(name) for name in held_out}
        found = [_outcomes(look, name, images) for name, look in whole.items()]
        yield OUTCOMES, save_outcomes(folder / OUTCOMES, found)
    end = time.monotonic() + min(max(_LEAST_S, _TIME_SHARE * state.elapsed_s), _MOST_S)
    rows, features = looks.sampled("train", end)
    if len(features) < 2:
        return
    others = features[:0]
    if "validation" in whole:
        others = whole["validation"].features[:MAX_IMAGES]
    elif "validation" in held_out:
        _, others = looks.sampled("validation", end)
    names = image_names(images, "train")[rows.numpy()]
    yield FAMILIARITY, save_familiarity(folder, measure_familiarity(features.numpy(), names, others.numpy()))


def forget_outcomes(folder: Path) -> None:
    """Remove both files: the training goes on."""
    for name in (OUTCOMES, FAMILIARITY):
        (folder / name).unlink(missing_ok=True)


def outcomes_of(network: TrainedNetwork, name: str, images: ImageData) -> Outcomes:
    """What a network says of a split that the data set has."""
    return _outcomes(_Looks(network, images).whole(name), name, images)


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


class _Looks:
    """What a network makes of the splits of a data set, from kept features of them where there are any."""

    def __init__(
        self,
        network: TrainedNetwork,
        images: ImageData,
        kept: Loaders | None = None,
        progress: Progress = lambda split, done, total: None,
    ) -> None:
        self.network = network
        self.progress = progress
        self.splits = _splits(images)
        sources = {"train": kept.train, "validation": kept.validation, "test": kept.test} if kept else {}
        self.kept = {name: source for name, source in sources.items() if isinstance(source, FeatureBatches)}

    def whole(self, name: str) -> Look:
        """All images of a split, in order."""
        return Look.joined(self._of(name, torch.arange(len(self.splits[name]))))

    def sampled(self, name: str, end: float) -> tuple[Tensor, Tensor]:
        """Positions (M,) and features (M, D) of images drawn at random, as many as the time allows, at least some."""
        order = torch.randperm(len(self.splits[name]), generator=torch.Generator().manual_seed(_SEED))[:MAX_IMAGES]
        found: list[Look] = []
        for look in self._of(name, order):
            found.append(look)
            if time.monotonic() > end:
                break
        features = Look.joined(found).features
        return order[: len(features)], features

    def _of(self, name: str, positions: Tensor) -> Iterator[Look]:
        """The images at these positions of a split, batch by batch."""
        split, done = self.splits[name], 0
        if name in self.kept:
            batches = self.kept[name].select(positions).epoch(0)
            looks = (self.network.look_from(batch.images) for batch in batches)
        else:
            looks = self.network.look_at(split.select(positions.to(split.labels.device)))
        for look in looks:
            done += len(look.features)
            self.progress(name, done, len(positions))
            yield look

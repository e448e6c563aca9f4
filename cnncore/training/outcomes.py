"""What is kept when a training ends: what the network says of each held-out image, and what it is familiar with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cnncore.data import ImageData, Split
from cnncore.runs.outcomes import OUTCOMES, Outcomes, save_outcomes
from cnncore.training.familiarity import FAMILIARITY, MAX_IMAGES, measure_familiarity, save_familiarity
from cnncore.training.state import TrainState
from cnncore.training.trained import BATCH, Look, TrainedNetwork, load_trained

MOST_OUTCOMES = 10_000
"""Held-out images of which outcomes are kept; a run with more has none."""
_TIME_SHARE, _LEAST_S = 0.1, 5.0
"""Looking at the training images again ends after this share of the time the training took, or so many seconds."""
_SEED = 0
_OWN = ("folder", "image_set")
"""Data sets of a person's own images, whose outcomes are kept."""


def keep_outcomes(folder: Path, state: TrainState, images: ImageData) -> Iterator[tuple[str, int]]:
    """Write `outcomes.npz`, of own images, and `familiarity.npz` beside the weights of a training that has ended.

    Yields:
        Name and size in bytes of each file.
    """
    network = load_trained(folder, state.device, state.precision)
    held_out = {name: split for name, split in _splits(images).items() if name != "train" and len(split)}
    looks: dict[str, Look] = {}
    if state.config.data.dataset in _OWN and 0 < sum(map(len, held_out.values())) <= MOST_OUTCOMES:
        looks = {name: _whole(network, split) for name, split in held_out.items()}
        yield (
            OUTCOMES,
            save_outcomes(folder / OUTCOMES, [_outcomes(look, name, images) for name, look in looks.items()]),
        )
    end = time.monotonic() + max(_LEAST_S, _TIME_SHARE * state.elapsed_s)
    rows, features = _sampled(network, images.train, end)
    if len(features) < 2:
        return
    others = features[:0]
    if "validation" in looks:
        others = looks["validation"].features[:MAX_IMAGES]
    elif "validation" in held_out:
        _, others = _sampled(network, held_out["validation"], end)
    names = image_names(images, "train")[rows.numpy()]
    yield FAMILIARITY, save_familiarity(folder, measure_familiarity(features.numpy(), names, others.numpy()))


def forget_outcomes(folder: Path) -> None:
    """Remove both files: the training goes on."""
    for name in (OUTCOMES, FAMILIARITY):
        (folder / name).unlink(missing_ok=True)


def outcomes_of(network: TrainedNetwork, name: str, images: ImageData) -> Outcomes:
    """What a network says of a split that the data set has."""
    return _outcomes(_whole(network, _splits(images)[name]), name, images)


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


def _whole(network: TrainedNetwork, split: Split) -> Look:
    looks = list(network.look_at(split))
    return Look(
        features=torch.cat([look.features for look in looks]),
        probabilities=torch.cat([look.probabilities for look in looks]),
    )


def _sampled(network: TrainedNetwork, split: Split, end: float) -> tuple[Tensor, Tensor]:
    """Positions (M,) and features (M, D) of images drawn at random, as many as the time allows, at least one batch."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(_SEED))[:MAX_IMAGES]
    found: list[Tensor] = []
    for start in range(0, len(order), BATCH):
        if found and time.monotonic() > end:
            break
        part = split.select(order[start : start + BATCH].to(split.labels.device))
        found += [look.features for look in network.look_at(part)]
    features = torch.cat(found)
    return order[: len(features)], features

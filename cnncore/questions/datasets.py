"""Questions about data sets."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from cnncore.answers import Answer
from cnncore.catalog import at_hand
from cnncore.catalog.datasets import DATASETS
from cnncore.config import AugmentConfig, DataConfig, Section
from cnncore.config.requests import parse_request
from cnncore.data import preview, samples
from cnncore.places import data_dir


class PreviewRequest(Section):
    """Images and how they would be augmented."""

    data: DataConfig
    augment: AugmentConfig
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    num_images: int = Field(default=6, ge=1, le=16)
    num_draws: int = Field(default=4, ge=1, le=8)


def augmentation_preview(asked: dict[str, Any]) -> Answer:
    """The array `images`, uint8 (num_images, 1 + num_draws, H, W, C): each image unchanged, then changed."""
    request = parse_request(PreviewRequest, asked)
    images = preview(
        request.data,
        request.augment,
        data_dir(),
        num_images=request.num_images,
        num_draws=request.num_draws,
        seed=request.seed,
    )
    return Answer({}, {"images": images}, lasting=_lasts(request.data))


class SamplesRequest(Section):
    """A data set and how many images of it to show."""

    data: DataConfig
    per_class: int = Field(default=1, ge=1, le=10)
    max_images: int = Field(default=20, ge=1, le=100)


def data_samples(asked: dict[str, Any]) -> Answer:
    """A data set at a glance: what the catalog knows where it is not at hand, else what is really there.

    Returns:
        `at_hand`, `classes`, `num_images` by split; at hand also `labels` (class of each image), `train_counts` (of
        each class), `split_note`, and the array `images`, uint8 (N, H, W, C).
    """
    request = parse_request(SamplesRequest, asked)
    root, key = data_dir(), request.data.dataset
    if not at_hand(key, root):
        spec = DATASETS[key]
        counts = {"train": spec.num_train, "validation": spec.num_validation, "test": spec.num_test}
        return Answer({"at_hand": False, "classes": spec.classes, "num_images": counts}, lasting=False)
    found = samples(request.data, root, per_class=request.per_class, max_images=request.max_images)
    facts = {
        "at_hand": True,
        "classes": found.classes,
        "num_images": found.num_images,
        "labels": found.labels.tolist(),
        "train_counts": found.train_counts.tolist(),
        "split_note": found.split_note,
    }
    return Answer(facts, {"images": found.images}, lasting=_lasts(request.data))


def _lasts(data: DataConfig) -> bool:
    """Whether the images stay what they are: a person's own folder may change at any time."""
    return data.dataset != "folder"

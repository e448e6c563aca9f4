"""A network's layers, from the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnncore.catalog import MODELS
from pages.components.waiting import Reply, inquire

Shape = tuple[int, int, int]


def published_shape(key: str) -> Shape:
    """Channels, height and width of the images the published form takes."""
    spec = MODELS[key]
    return spec.in_channels, spec.native_size, spec.native_size


def ask_layers(place: str, key: str, in_shape: Shape | None = None, num_classes: int | None = None) -> Reply:
    """The profile of a network, in its published form unless said otherwise; see the service's question `profile`."""
    request: Mapping[str, Any] = {
        "model": {"name": key},
        "in_shape": in_shape or published_shape(key),
        "num_classes": num_classes or MODELS[key].num_classes,
        "batch_size": 1,
        "optimizer": "sgd",
        "precision": "fp32",
    }
    return inquire(place, "profile", request)

"""Runs in this process: a state and its loaders from a configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cnncore.config import TrainConfig
from cnncore.data import open_images
from cnncore.training.loop import Loaders, make_loaders
from cnncore.training.state import TrainState, new_state

Prepare = Callable[[TrainConfig], tuple[TrainState, Loaders]]


@pytest.fixture
def prepare(data_root: Path) -> Prepare:
    def build(config: TrainConfig) -> tuple[TrainState, Loaders]:
        images = open_images(config.data, data_root)
        precision = config.training.precision
        assert precision != "auto"
        state = new_state(config, images.in_shape, len(images.classes), device=torch.device("cpu"), precision=precision)
        return state, make_loaders(images, config, state)

    return build

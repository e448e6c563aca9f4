"""The networks: one file a family, built from shared blocks and the rows of `cnncore.catalog.MODELS`.

A file builds its family from a table keyed by the networks' names (`options.name`) wherever it has more than one.

The output of a layer named in `ModelSpec.taps` is what the next layer receives: after normalization, activation and
pooling. No layer changes its input in place, so a forward hook may keep that output.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

import torch
from torch import nn

from cnncore.catalog import MODELS
from cnncore.config import ModelConfig, check_size
from cnncore.errors import ConfigError
from cnncore.models.blocks import initialize
from cnncore.models.options import Options, resolve

__all__ = ["Options", "build_model", "resolve"]

Builder = Callable[[Options, tuple[int, int, int], int], nn.Module]
"""Builds a network from its options, the shape of one image (C, H, W) at its first layer and the number of classes."""


def build_model(config: ModelConfig, in_shape: tuple[int, int, int], num_classes: int, *, seed: int = 0) -> nn.Module:
    """A freshly initialized network on the current default device.

    Its `forward` maps images (N, C, H, W) to logits (N, num_classes); in training mode a network with auxiliary heads
    returns (logits, aux1, aux2). With `config.input_size` the network resizes each batch to that size itself.

    Args:
        config: The network and its options.
        in_shape: Channels, height and width of the images.
        num_classes: Number of classes, at least 1.
        seed: Seed of the weights; the global random state stays as it is.

    Raises:
        ConfigError: if the network is unknown, an option is impossible or the images are too small.
    """
    channels, height, width = in_shape
    if config.input_size is not None:
        height = width = config.input_size
    options = resolve(config, min(height, width))
    spec = MODELS[config.name]
    check_size(config, spec, height, width)
    if channels < 1 or num_classes < 1:
        raise ConfigError(
            "data.dataset", f"Images with {channels} channels in {num_classes} classes cannot be learned from."
        )
    build = _builder(spec.builder)
    # The CPU generator alone: torch.manual_seed would reseed every GPU as well.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = build(options, (channels, height, width), num_classes)
        initialize(model, options.init)
    return model


def _builder(path: str) -> Builder:
    module, _, function = path.partition(":")
    return getattr(importlib.import_module(module), function)

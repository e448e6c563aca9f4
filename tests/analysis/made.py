"""Untrained networks of the catalog, small, as the Inspector gets trained ones."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from cnncore.catalog import MODELS
from cnncore.config import ModelConfig, TrainConfig
from cnncore.images.preprocessing import Preprocessing
from cnncore.training.trained import TrainedNetwork
from cnncore.transfer.network import build_network, split_network

CLASSES = 4


def made_network(name: str, side: int, *, channels: int = 0, seed: int = 0, **options: Any) -> TrainedNetwork:
    """A network for images of `side` × `side` pixels and four classes; `options` are those of `ModelConfig`."""
    config = TrainConfig(model=ModelConfig.model_validate({"name": name, **options}))
    channels = channels or MODELS[name].in_channels
    model = build_network(config, (channels, side, side), CLASSES, seed=seed).eval()
    _spread_statistics(model, seed)
    backbone, head = split_network(model, name)
    return TrainedNetwork(
        model=model,
        backbone=backbone,
        head=head,
        card={"config": config.model_dump(mode="json"), "classes": [str(place) for place in range(CLASSES)]},
        preprocessing=Preprocessing(size=side, channels=channels, mean=(0.5,) * channels, std=(0.25,) * channels),
        familiarity=None,
        device=torch.device("cpu"),
        precision="fp32",
    )


def _spread_statistics(model: nn.Module, seed: int) -> None:
    """Batch normalization that does something, as after some training."""
    random = torch.Generator().manual_seed(seed)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None and layer.running_var is not None:
            layer.running_mean.normal_(0, 0.3, generator=random)
            layer.running_var.uniform_(0.5, 2, generator=random)
            with torch.no_grad():
                layer.bias.normal_(0, 0.3, generator=random)


def noise(network: TrainedNetwork, seed: int = 1) -> Tensor:
    """An image of noise, (1, C, H, W)."""
    made = network.preprocessing
    return torch.randn(1, made.channels, made.size, made.size, generator=torch.Generator().manual_seed(seed))

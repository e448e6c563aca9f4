"""The units of a network: the channels of a layer with maps, or its classes, which count as maps of one position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import Tensor, nn
from torch.func import functional_call

from cnncore.analysis.layers import MapLayer, map_layer
from cnncore.config import TrainConfig
from cnncore.errors import ConfigError
from cnncore.models.profile import profile_model
from cnncore.training.trained import TrainedNetwork

CLASSES = ""
"""What stands for the classes where a layer is asked for."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Units:
    """The units of a layer.

    Attributes:
        network: Theirs.
        layer: What is known of the layer; of the classes, one position that sees the whole image.
        module: It; None for the classes, whose values are the logits.
        macs: Multiply-accumulates of the whole network for one image: how long looking takes, at most.
    """

    network: TrainedNetwork
    layer: MapLayer
    module: nn.Module | None
    macs: int

    @property
    def count(self) -> int:
        return self.layer.shape[0]

    def maps(self, images: Tensor) -> Tensor:
        """Their maps, float32 (N, U, h, w), of normalized images (N, C, H, W); gradients lead back to the images only.

        In fp32 whatever the network was trained in, so that they are those of `cnncore.analysis.feature_maps`: bf16
        tells values apart to a hundredth only, and would put other images first.

        Args:
            images: On any device.
        """
        network = self.network
        images = images.to(network.device, torch.float32).to(memory_format=torch.channels_last)
        weights = {
            name: value.detach() for name, value in [*network.model.named_parameters(), *network.model.named_buffers()]
        }
        handle = self.module.register_forward_hook(_leave) if self.module else None
        try:
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                logits = functional_call(network.model, weights, (images,))
        except _LeftError as left:
            return left.maps.float()
        finally:
            if handle is not None:
                handle.remove()
        return logits.float()[:, :, None, None]


def units_of(network: TrainedNetwork, layer: str) -> Units:
    """The units of a layer, or the classes.

    Raises:
        LabError: if there is no such layer, or it has no maps.
    """
    made = network.preprocessing
    config = TrainConfig.model_validate(network.card["config"])
    shape = (made.channels, made.size, made.size)
    macs = profile_model(config.model, shape, len(network.classes), training=False).macs
    found, module = map_layer(network, layer) if layer else (_classes(len(network.classes)), None)
    return Units(network=network, layer=found, module=module, macs=macs)


def check_unit(layer: MapLayer, unit: int) -> int:
    """The number of a unit of a layer.

    Raises:
        ConfigError: if there is none of that number.
    """
    count = layer.shape[0]
    if 0 <= unit < count:
        return unit
    what = f"unit {unit} in the layer {layer.name}" if layer.name else f"class {unit}"
    raise ConfigError("unit", f"There is no {what}.", f"Allowed: 0 to {count - 1}.")


def _classes(count: int) -> MapLayer:
    return MapLayer(
        name=CLASSES,
        kind="classes",
        shape=(count, 1, 1),
        kernel=None,
        stride=None,
        padding=None,
        receptive_field=None,
        jump=None,
        start=None,
        passes_all=True,
        is_tap=False,
        seen=None,
    )


class _LeftError(Exception):
    """The layer has been reached; nothing behind it needs to be computed."""

    def __init__(self, maps: Tensor) -> None:
        super().__init__()
        self.maps = maps


def _leave(_module: nn.Module, _inputs: object, output: Tensor) -> NoReturn:
    raise _LeftError(output)

"""The layers of a network that can be looked into: those that leave maps, and what each position of a map sees."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cnncore.analysis.grad_cam import layers_with_maps
from cnncore.catalog import MODELS
from cnncore.config import TrainConfig
from cnncore.errors import ConfigError, DataError, lookup
from cnncore.models.profile import LayerProfile, layer_of
from cnncore.models.recorder import record_model
from cnncore.training.trained import TrainedNetwork
from cnncore.transfer.network import build_network

BLOCK = "block"


@dataclass(frozen=True, kw_only=True)
class MapLayer:
    """A layer that leaves maps.

    Attributes:
        name: As in `get_submodule`.
        kind: As `LayerProfile.kind`, or `block` for what holds several layers.
        shape: Channels, height and width of what it leaves.
        kernel: Height and width of its window; None where it has none.
        stride: Likewise.
        padding: Likewise.
        receptive_field: Pixels of the image, along a side, that one position sees; None where it sees all of it. The
            same for jump and start.
        jump: Pixels between what neighboring positions see.
        start: Middle of what the first position sees, in pixels from the image's edge; 0.5 is the first pixel's middle.
        passes_all: Whether everything passes through it, so that its maps alone decide: Grad-CAM needs that.
        is_tap: Whether the catalog calls it worth seeing.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    kernel: tuple[int, int] | None
    stride: tuple[int, int] | None
    padding: tuple[int, int] | None
    receptive_field: int | None
    jump: int | None
    start: float | None
    passes_all: bool
    is_tap: bool

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return dataclasses.asdict(self)

    def seen_by(self, row: int, column: int, size: int) -> tuple[float, float, float, float]:
        """The pixels that a position sees, as top, left, bottom, right in pixels, cut at the image's edges.

        Args:
            row: Of the position.
            column: Likewise.
            size: Height and width of the image in pixels.
        """
        if self.receptive_field is None or self.jump is None or self.start is None:
            return 0.0, 0.0, float(size), float(size)
        middles = [self.start + place * self.jump for place in (row, column)]
        half = self.receptive_field / 2
        top, left = (max(middle - half, 0.0) for middle in middles)
        bottom, right = (min(middle + half, float(size)) for middle in middles)
        return top, left, bottom, right


def map_layers(network: TrainedNetwork) -> dict[str, MapLayer]:
    """The layers of a network that leave maps, input side first; a layer that runs twice is there once."""
    config = TrainConfig.model_validate(network.card["config"])
    made = network.preprocessing
    shape = (made.channels, made.size, made.size)
    with torch.device("meta"):
        model = build_network(config, shape, len(network.classes)).eval()
    recording = record_model(model, shape)
    leaves = [layer_of(step) for step in recording.steps if step.layer is not None]
    through = layers_with_maps(network.model, torch.zeros(1, *shape, device=network.device))
    taps = MODELS[config.model.name].taps
    found: dict[str, MapLayer] = {}
    for leaf in leaves:
        if len(leaf.out_shape) == 3 and "#" not in leaf.name:
            size = (leaf.out_shape[0], leaf.out_shape[1], leaf.out_shape[2])
            found[leaf.name] = _layer(leaf.name, leaf, size, leaf.name in through, leaf.name in taps)
        for name, (channels, height, width) in through.items():
            # A block comes right after the last of its layers.
            if name not in found and leaf.name.startswith(f"{name}.") and _is_last(leaf, leaves, name):
                found[name] = _layer(name, _joined(leaves, name), (channels, height, width), True, name in taps)
    return found


def map_layer(network: TrainedNetwork, name: str) -> tuple[MapLayer, nn.Module]:
    """One of them with its module.

    Raises:
        ConfigError: if there is no such layer, or it has no maps.
        DataError: if no layer of the network has maps.
    """
    layers = map_layers(network)
    if not layers:
        raise DataError("No layer of this network has maps with height and width.", "Choose a convolutional network.")
    modules = dict(network.model.named_modules())
    if name in modules and name not in layers:
        raise ConfigError(
            "layer", f"The layer {name} has no maps with height and width.", "Choose one before the dense layers."
        )
    return lookup(layers, name, "layer", "layer"), modules[name]


def _is_last(leaf: LayerProfile, leaves: list[LayerProfile], block: str) -> bool:
    inside = [each for each in leaves if each.name.startswith(f"{block}.")]
    return inside[-1] is leaf


def _joined(leaves: list[LayerProfile], block: str) -> LayerProfile:
    """The layer of a block that sees most: where branches join, the widest one counts."""
    inside = [each for each in leaves if each.name.startswith(f"{block}.")]
    all_seen = [each for each in inside if each.receptive_field is None]
    widest = all_seen[-1] if all_seen else max(inside, key=lambda each: each.receptive_field or 0)
    return dataclasses.replace(widest, kind=BLOCK, kernel=None, stride=None, padding=None)


def _layer(name: str, leaf: LayerProfile, shape: tuple[int, int, int], passes_all: bool, is_tap: bool) -> MapLayer:
    return MapLayer(
        name=name,
        kind=leaf.kind,
        shape=shape,
        kernel=leaf.kernel,
        stride=leaf.stride,
        padding=leaf.padding,
        receptive_field=leaf.receptive_field,
        jump=leaf.jump,
        start=leaf.start,
        passes_all=passes_all,
        is_tap=is_tap,
    )

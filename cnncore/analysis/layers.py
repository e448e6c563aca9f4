"""The layers of a network that can be looked into: those that leave maps, and what each position of a map sees.

What a position sees is followed exactly, window by window, from the pixels on: what a window takes of padding is no
pixel, and where branches join, the widest one counts (Araujo, Norris, Sim: Computing receptive fields of convolutional
neural networks, 2019, give the formulas of the middle, for chains).
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import nn

from cnncore.analysis.grad_cam import last_of, layers_with_maps
from cnncore.analysis.seen import Seen, Spans, resized_reach, seen_by_steps
from cnncore.catalog import MODELS
from cnncore.config import TrainConfig
from cnncore.errors import ConfigError, DataError, lookup
from cnncore.models.profile import layer_of
from cnncore.models.recorder import Step, record_model
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
        receptive_field: Pixels of the image, along the side where they are more, that one position sees, padding
            included; where positions see differently many, of the one that sees most; None where all see all of it.
        jump: Pixels between what neighboring positions see; None where that differs, or all see everything.
        start: Middle of what the first position sees, in pixels from the image's edge; 0.5 is the first pixel's middle;
            None likewise.
        passes_all: Whether everything passes through it, so that its maps alone decide: Grad-CAM needs that.
        is_tap: Whether the catalog calls it worth seeing.
        seen: The pixels that each position sees; None where every one sees all of them.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    kernel: tuple[int, int] | None
    stride: tuple[int, int] | None
    padding: tuple[int, int] | None
    receptive_field: int | None
    jump: float | None
    start: float | None
    passes_all: bool
    is_tap: bool
    seen: Seen | None = dataclasses.field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON, without the pixels of each position."""
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(self) if each.name != "seen"}

    def seen_by(self, row: int, column: int, size: int) -> tuple[int, int, int, int]:
        """The pixels that a position sees: the first row and column, and those behind the last.

        Args:
            row: Of the position.
            column: Likewise.
            size: Height and width of the image in pixels.

        Raises:
            ConfigError: if there is no such position.
        """
        _, height, width = self.shape
        for name, place, count in (("row", row, height), ("column", column, width)):
            if not 0 <= place < count:
                raise ConfigError(name, f"{self.name} has no {name} {place}.", f"Allowed: 0 to {count - 1}.")
        rows, columns = self.spans(size)
        (top, bottom), (left, right) = rows[row].tolist(), columns[column].tolist()
        return top, left, bottom, right

    def middle(self, row: int, column: int, size: int) -> tuple[float, float]:
        """Row and column in pixels of the middle of what a position sees, with what the edges cut off."""
        if self.start is None or self.jump is None:
            return (row + 0.5) * size / self.shape[1], (column + 0.5) * size / self.shape[2]
        down, right = (min(max(self.start + place * self.jump, 0.0), float(size)) for place in (row, column))
        return down, right

    def spans(self, size: int) -> tuple[Spans, Spans]:
        """The same of all rows (H, 2), and of all columns (W, 2)."""
        if self.seen is not None:
            return self.seen.rows, self.seen.columns
        rows, columns = (np.tile((0, size), (count, 1)) for count in self.shape[1:])
        return rows, columns


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a network's maps come about.

    Attributes:
        layers: Those that leave maps, input side first.
        steps: All that happens to an image, the input first.
        made_by: Of each of `layers`, the place among the steps of the one that makes its maps.
        last: The layer that Grad-CAM takes; empty if there is none.
    """

    layers: dict[str, MapLayer]
    steps: tuple[Step, ...]
    made_by: dict[str, int]
    last: str


def layout_of(network: TrainedNetwork) -> Layout:
    """How a network's maps come about; the same one for networks of the same configuration."""
    made = network.preprocessing
    # Text, since only what never changes can be recognized.
    return _layout(json.dumps(network.card["config"]), (made.channels, made.size, made.size), len(network.classes))


def map_layers(network: TrainedNetwork) -> dict[str, MapLayer]:
    """The layers of a network that leave maps, input side first; a layer that runs twice is there once."""
    return layout_of(network).layers


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
    if name and name in modules and name not in layers:
        raise ConfigError("layer", f"The layer {name} has no maps to look at.", f"Choose one like {[*layers][-1]}.")
    return lookup(layers, name, "layer", "layer"), modules[name]


@lru_cache(maxsize=16)
def _layout(config_json: str, in_shape: tuple[int, int, int], num_classes: int) -> Layout:
    config = TrainConfig.model_validate_json(config_json)
    with torch.device("meta"):
        model = build_network(config, in_shape, num_classes).eval()
        through = layers_with_maps(model, torch.zeros(1, *in_shape))
    steps = record_model(model, in_shape).steps
    seen = seen_by_steps(steps)
    scale = _pixels_per_input(steps)
    taps = MODELS[config.model.name].taps
    layers: dict[str, MapLayer] = {}
    made_by: dict[str, int] = {}
    for name, place in _makers(steps, through):
        at = seen[place]
        if at is not None:
            layers[name] = _layer(
                name, steps[place], at, scale, in_shape[1], passes_all=name in through, is_tap=name in taps
            )
            made_by[name] = place
    return Layout(layers=layers, steps=steps, made_by=made_by, last=last_of(through))


def _makers(steps: tuple[Step, ...], through: dict[str, tuple[int, int, int]]) -> list[tuple[str, int]]:
    """The layers and the blocks of `through` with the steps that make their maps, in order; inner blocks first."""
    last = {block: place for block in through for place, step in enumerate(steps) if step.name.startswith(f"{block}.")}
    found: list[tuple[str, int]] = []
    for place, step in enumerate(steps):
        if step.layer is not None and step.first:
            found.append((step.name, place))
        found.extend((block, end) for block, end in last.items() if end == place)
    return found


def _pixels_per_input(steps: tuple[Step, ...]) -> float:
    """Pixels of the image along a side for one of what the first layer gets, where the network resizes it itself."""
    resized = next((step for step in steps if step.kind == "resize"), None)
    return resized.in_shape[1] / resized.out_shape[1] if resized else 1.0


def _pixels_seen(size: int, scale: float) -> int:
    """Pixels of the image under a window of `size` values, `scale` pixels apart, that resizing made of it."""
    return size if scale == 1 else math.ceil((size - 1) * scale + resized_reach(scale))


def _most_seen(seen: Seen, side: int) -> int | None:
    """Pixels that the position sees that sees most; None where each of them sees all `side` of them."""
    counts = np.concatenate([spans[:, 1] - spans[:, 0] for spans in (seen.rows, seen.columns)])
    return None if counts.min() == side else int(counts.max())


def _layer(name: str, step: Step, seen: Seen, scale: float, side: int, *, passes_all: bool, is_tap: bool) -> MapLayer:
    is_block = step.name != name
    window = None if is_block else step.window
    kind = BLOCK if is_block else layer_of(step).kind
    # Height and width differ inside factorized modules only.
    field = max(step.fields, key=lambda field: field.size) if step.fields else None
    channels, height, width = step.out_shape
    return MapLayer(
        name=name,
        kind=kind,
        shape=(channels, height, width),
        kernel=window and window.kernel,
        stride=window and window.stride,
        padding=window and window.padding,
        receptive_field=_pixels_seen(field.size, scale) if field else _most_seen(seen, side),
        jump=field and (field.jump if scale == 1 else field.jump * scale),
        start=field and field.start * scale,
        passes_all=passes_all,
        is_tap=is_tap,
        seen=seen,
    )

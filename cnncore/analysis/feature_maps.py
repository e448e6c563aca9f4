"""Feature maps: what the layers of a network make of one picture, as numbers.

Everything is computed in fp32, whatever the network was trained in, so that what is shown adds up. Layers further on
may write over what they are given (activations in place), so every value is copied as soon as it is there.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cnncore.analysis.layers import MapLayer, map_layer
from cnncore.errors import ConfigError
from cnncore.training.trained import TrainedNetwork

MOST_MAPS = 64
"""Maps that are looked at together."""

Order = Literal["channel", "strength"]
Maps = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class FeatureMaps:
    """Maps of a layer for one picture.

    Attributes:
        layer: The layer.
        units: Channels of the maps.
        maps: Float32 (n, H, W).
        lows: Smallest value of each map.
        highs: Largest value of each map.
        means: Mean of each map.
        strengths: Mean of the magnitudes of each map: what it is ordered by.
        low: Smallest value of the layer, of all its maps.
        high: Likewise the largest.
    """

    layer: MapLayer
    units: tuple[int, ...]
    maps: Maps
    lows: Maps
    highs: Maps
    means: Maps
    strengths: Maps
    low: float
    high: float


def feature_maps(
    network: TrainedNetwork,
    image: Tensor,
    layer: str,
    *,
    first: int = 0,
    count: int = MOST_MAPS,
    order: Order = "channel",
) -> FeatureMaps:
    """Maps of a layer; of one that runs several times those of the first time.

    Args:
        network: Whose layer it is.
        image: Normalized, (1, C, H, W).
        layer: One of `map_layers`.
        first: Place of the first map in the order.
        count: How many at most.
        order: By channel, or by strength: by the mean of a map's magnitudes, the strongest first.

    Raises:
        LabError: if the network has no such layer, the layer no maps, or not so many.
    """
    found, _ = map_layer(network, layer)
    values = outputs_of(network.model, image, [layer])[layer].cpu().numpy()
    if not 0 <= first < len(values):
        raise ConfigError("first", f"{layer} has no map {first}.", f"Allowed: 0 to {len(values) - 1}.")
    strengths = np.abs(values).mean(axis=(1, 2))
    places = np.argsort(-strengths, kind="stable") if order == "strength" else np.arange(len(values))
    units = places[first : first + count]
    maps = values[units]
    return FeatureMaps(
        layer=found,
        units=tuple(int(unit) for unit in units),
        maps=maps,
        lows=maps.min(axis=(1, 2)),
        highs=maps.max(axis=(1, 2)),
        means=maps.mean(axis=(1, 2)),
        strengths=strengths[units],
        low=float(values.min()),
        high=float(values.max()),
    )


def outputs_of(model: nn.Module, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
    """What layers leave for one image, each without the batch, when they run first; nothing behind them is computed.

    Args:
        model: In evaluation mode.
        image: Normalized, (1, C, H, W).
        layers: Names of modules that run.
    """
    return values_around(model, image, (), layers)[1]


def values_around(
    model: nn.Module, image: Tensor, into: Collection[str], out_of: Collection[str]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What layers get, and what layers leave, as `outputs_of` has it."""
    given: dict[str, Tensor] = {}
    left: dict[str, Tensor] = {}

    def enter(name: str, _module: nn.Module, inputs: tuple[Any, ...]) -> None:
        given.setdefault(name, inputs[0][0].float().clone())

    def leave(name: str, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        left.setdefault(name, output[0].float().clone())
        if len(left) == len(set(out_of)) and len(given) == len(set(into)):
            raise _EnoughError

    with ExitStack() as stack:
        for name in into:
            hook = model.get_submodule(name).register_forward_pre_hook(partial(enter, name))
            stack.callback(hook.remove)
        for name in out_of:
            stack.callback(model.get_submodule(name).register_forward_hook(partial(leave, name)).remove)
        # Graphics cards would round what convolutions get to ten bits (TF32), and no sum would add up.
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with suppress(_EnoughError), torch.inference_mode(), exact:
            model(image.to(memory_format=torch.channels_last))
    return given, left


class _EnoughError(Exception):
    """Everything asked for is there."""

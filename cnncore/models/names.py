"""Whose layer is whose: torchvision's weights in our networks.

A family's file says which of our layers holds the weights of which of torchvision's, in a function
`torchvision_layers(key) -> {our layer: torchvision's layer}` beside its builders. A layer's tensors (`weight`, `bias`,
`running_mean`, …) have the same names on both sides.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from torch import Tensor

from cnncore.catalog import MODELS


def torchvision_layers(key: str) -> dict[str, str]:
    """Our layers' names and those of torchvision's network `MODELS[key].torchvision`, in our order."""
    module, _, _ = MODELS[key].builder.partition(":")
    return importlib.import_module(module).torchvision_layers(key)


def from_torchvision(key: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of torchvision's state_dict that have a place in our network, under our names.

    Args:
        key: A network with `torchvision` in its row.
        state: torchvision's state_dict. Tensors without a place are left out: those of auxiliary heads where the
            network has none, and classifiers are not special here.
    """
    ours = {theirs: layer for layer, theirs in torchvision_layers(key).items()}
    named = ((name.rpartition("."), value) for name, value in state.items())
    return {f"{ours[layer]}.{tensor}": value for (layer, _, tensor), value in named if layer in ours}

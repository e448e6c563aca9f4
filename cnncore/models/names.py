"""Whose layer is whose: weights of other libraries in our networks.

A family's file says which of our layers holds the weights of which of torchvision's, in a function
`torchvision_layers(key) -> {our layer: torchvision's layer}` beside its builders. A layer's tensors (`weight`, `bias`,
`running_mean`, …) have the same names on both sides.

`SCHEMES` holds the ways in which files of weights name their layers. The names of residual networks for CIFAR are those
of akamaster/pytorch_resnet_cifar10 (`linear`), kuangliu/pytorch-cifar (`linear`, `shortcut`) and
chenyaofo/pytorch-cifar-models (`fc`, `downsample`); those of EfficientNets, lukemelas/EfficientNet-PyTorch's.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

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


_WRAPPERS = ("module", "_orig_mod", "model", "net", "network", "backbone", "ema")
"""First parts of names that say nothing of the network: DataParallel's, torch.compile's, those of training loops."""


def without_wrappers(names: Iterable[str]) -> tuple[dict[str, str], str]:
    """Names by their form without the wrappers that all of them start with, and these wrappers (`module.`)."""
    short = {name: name for name in names}
    cut = ""
    while len(first := {name.partition(".")[0] for name in short}) == 1 and (part := next(iter(first))) in _WRAPPERS:
        if not all("." in name for name in short):
            break
        short = {name.partition(".")[2]: full for name, full in short.items()}
        cut += f"{part}."
    return short, cut


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """A way to name layers.

    Attributes:
        title: Whose names these are, in words.
        layers: The layers' names in the file by ours, of the network with this key and these layers; may be empty.
        respell: Pairs of a regular expression and its replacement, applied to the names in the file first.
    """

    title: str
    layers: Callable[[str, Iterable[str]], dict[str, str]]
    respell: tuple[tuple[str, str], ...] = ()


def _own(_key: str, layers: Iterable[str]) -> dict[str, str]:
    return {layer: layer for layer in layers}


def _torchvision(key: str, _layers: Iterable[str]) -> dict[str, str]:
    return torchvision_layers(key) if MODELS[key].torchvision else {}


_CIFAR = (
    (r"stem\.conv", "conv1"),
    (r"stem\.norm", "bn1"),
    (r"stage(\d+)\.block(\d+)\.conv(\d)\.conv", r"layer\1.<\2>.conv\3"),
    (r"stage(\d+)\.block(\d+)\.conv(\d)\.norm", r"layer\1.<\2>.bn\3"),
    (r"stage(\d+)\.block(\d+)\.shortcut\.conv", r"layer\1.<\2>.downsample.0"),
    (r"stage(\d+)\.block(\d+)\.shortcut\.norm", r"layer\1.<\2>.downsample.1"),
    (r"output", "fc"),
)
"""Our residual networks' layers and their common names; in brackets what is counted from 0 there, from 1 here."""


def _cifar(key: str, layers: Iterable[str]) -> dict[str, str]:
    if MODELS[key].family != "resnet":
        return {}
    found: dict[str, str] = {}
    for layer in layers:
        for pattern, name in _CIFAR:
            match = re.fullmatch(pattern, layer)
            if match:
                found[layer] = re.sub(r"<(\d+)>", lambda number: str(int(number[1]) - 1), match.expand(name))
    return found


_EFFICIENTNET = {
    "conv_stem": "_conv_stem",
    "bn1": "_bn0",
    "conv_head": "_conv_head",
    "bn2": "_bn1",
    "classifier": "_fc",
}
_WIDENING = {
    "conv_pw": "_expand_conv",
    "bn1": "_bn0",
    "conv_dw": "_depthwise_conv",
    "bn2": "_bn1",
    "conv_pwl": "_project_conv",
    "bn3": "_bn2",
}
"""Layers of timm's blocks and their names there, in blocks that widen the maps first."""
_NARROWING = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
"""The same in blocks that only narrow them."""


def _efficientnet(key: str, layers: Iterable[str]) -> dict[str, str]:
    if MODELS[key].family != "efficientnet":
        return {}
    layers = list(layers)
    # Blocks are counted through there, and by stage in timm.
    blocks = list(dict.fromkeys(layer.rpartition(".")[0] for layer in layers if layer.startswith("blocks.")))
    found = {layer: _EFFICIENTNET[layer] for layer in layers if layer in _EFFICIENTNET}
    for number, block in enumerate(blocks):
        names = _WIDENING if f"{block}.conv_pwl" in layers else _NARROWING
        found |= {f"{block}.{ours}": f"_blocks.{number}.{theirs}" for ours, theirs in names.items()}
    return found


_CIFAR_SPELLING = ((r"^linear\.", "fc."), (r"\.shortcut\.", ".downsample."))
_TIMM_SPELLING = (
    (r"^pre_logits\.fc1\.", "classifier.0."),
    (r"^pre_logits\.fc2\.", "classifier.3."),
    (r"^head\.fc\.", "classifier.6."),
)
"""timm's VGG has torchvision's features, and convolutions in place of the dense layers."""

SCHEMES: dict[str, Scheme] = {
    "own": Scheme(title="the lab's own names", layers=_own),
    "torchvision": Scheme(title="torchvision's names", layers=_torchvision),
    "timm": Scheme(title="timm's names", layers=_torchvision, respell=_TIMM_SPELLING),
    "efficientnet": Scheme(title="the names of EfficientNet-PyTorch", layers=_efficientnet),
    "cifar": Scheme(title="the usual names of CIFAR ResNets", layers=_cifar, respell=_CIFAR_SPELLING),
}
"""The schemes that are tried; of two that fit equally well the first one counts."""


def renamed(scheme: Scheme, key: str, ours: Iterable[str], theirs: Mapping[str, str]) -> dict[str, str]:
    """The name in the file of each of our tensors that the scheme finds there.

    Args:
        scheme: A row of `SCHEMES`.
        key: The network.
        ours: Names of our tensors.
        theirs: Full names in the file by their short form, see `without_wrappers`.
    """
    spelled: dict[str, str] = {}
    for short, full in theirs.items():
        for pattern, replacement in scheme.respell:
            short = re.sub(pattern, replacement, short)
        spelled[short] = full
    ours = list(ours)
    layers = scheme.layers(key, dict.fromkeys(name.rpartition(".")[0] for name in ours))
    found: dict[str, str] = {}
    for name in ours:
        layer, _, tensor = name.rpartition(".")
        if layer in layers and (full := spelled.get(f"{layers[layer]}.{tensor}")):
            found[name] = full
    return found

"""The stages of the networks, which transfer learning freezes and unfreezes: groups of consecutive layers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from cnncore.catalog.models import MODELS
from cnncore.errors import lookup


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        key: Name in `transfer.frozen`.
        title: What a person reads.
        layers: What the names of its layers with weights begin with. Layers without weights belong to the stage whose
            weights come before them.
    """

    key: str
    title: str
    layers: tuple[str, ...]

    def holds(self, name: str) -> bool:
        """Whether a layer or parameter of this name belongs here."""
        return any(re.match(rf"{re.escape(layer)}(?!_?\d)", name) for layer in self.layers)


PIXELS = "pixels"
"""What stands for the pixels themselves, where the stages are told in a row."""


def _one_each(**titles: str) -> tuple[Stage, ...]:
    return tuple(Stage(key, title, (key,)) for key, title in titles.items())


_CONVOLUTIONS = _one_each(
    conv1="Convolution 1", conv2="Convolution 2", conv3="Convolution 3", conv4="Convolution 4", conv5="Convolution 5"
)
_STEM = Stage("stem", "Stem", ("stem",))
_STAGES = tuple(Stage(f"stage{number}", f"Stage {number}", (f"stage{number}",)) for number in range(1, 6))
_DENSE = Stage("dense", "Dense layers", ("fc1", "fc2"))
_GOOGLENET = (
    _STEM,
    *_one_each(inception3="Inception 3", inception4="Inception 4", inception5="Inception 5"),
)

_FAMILIES: dict[str, tuple[Stage, ...]] = {
    "alexnet": (*_CONVOLUTIONS, _DENSE),
    "vgg": (*_STAGES, _DENSE),
    "inception": _GOOGLENET,
    "resnet": (_STEM, *_STAGES[:4]),
    "xception": (
        Stage("entry", "Entry flow", ("conv1", "bn1", "conv2", "bn2", "block1", "block2", "block3")),
        Stage("middle", "Middle flow", tuple(f"block{number}" for number in range(4, 12))),
        Stage("exit", "Exit flow", ("block12", "conv3", "bn3", "conv4", "bn4")),
    ),
    "squeezenet": (
        _CONVOLUTIONS[0],
        Stage("fire2", "Fire 2 and 3", ("fire2", "fire3")),
        Stage("fire4", "Fire 4 and 5", ("fire4", "fire5")),
        Stage("fire6", "Fire 6 to 9", ("fire6", "fire7", "fire8", "fire9")),
    ),
    # Blocks that work at one size of the maps; the last 1×1 convolution goes with the smallest ones.
    "efficientnet": (
        Stage("stem", "Stem", ("conv_stem", "bn1")),
        Stage("stage1", "Stage 1", ("blocks.0",)),
        Stage("stage2", "Stage 2", ("blocks.1",)),
        Stage("stage3", "Stage 3", ("blocks.2",)),
        Stage("stage4", "Stage 4", ("blocks.3", "blocks.4")),
        Stage("stage5", "Stage 5", ("blocks.5", "blocks.6", "conv_head", "bn2")),
    ),
}
_THREE_STAGES = (_STEM, *_STAGES[:3])
_INCEPTION_5_TO_7 = (
    _STEM,
    *_one_each(inception5="Inception 5", inception6="Inception 6", inception7="Inception 7"),
)
_NETWORKS: dict[str, tuple[Stage, ...]] = {
    "lenet_tutorial": (*_CONVOLUTIONS[:2], Stage("dense", "Dense layer", ("fc1",))),
    "lenet5": (
        Stage("c1", "C1 and S2", ("c1", "s2")),
        Stage("c3", "C3 and S4", ("c3", "s4")),
        *_one_each(c5="C5", f6="F6"),
    ),
    "cnn3": (*_CONVOLUTIONS[:3], Stage("dense", "Dense layer", ("fc1",))),
    "nin": _one_each(mlpconv1="Mlpconv 1", mlpconv2="Mlpconv 2"),
    "inception_v2": _INCEPTION_5_TO_7,
    "inception_v3": _INCEPTION_5_TO_7,
    "inception_resnet_v2": (
        Stage("stem", "Stem", ("conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a")),
        Stage("blocks_a", "Inception-ResNet A", ("mixed_5b", "repeat")),
        Stage("blocks_b", "Inception-ResNet B", ("mixed_6a", "repeat_1")),
        Stage("blocks_c", "Inception-ResNet C", ("mixed_7a", "repeat_2", "block8", "conv2d_7b")),
    ),
    # The residual networks for CIFAR-10 have three stages.
    **{f"{kind}{depth}": _THREE_STAGES for kind in ("resnet", "plain") for depth in (20, 32, 44, 56, 110, 1202)},
    **dict.fromkeys(
        ("preresnet110", "preresnet164", "preresnet1001"),
        (*_THREE_STAGES[:-1], Stage("stage3", "Stage 3", ("stage3", "after"))),
    ),
    "resnet_tutorial": (*_THREE_STAGES, Stage("dense", "Dense layer", ("fc1",))),
}
"""Networks whose stages are not those of their family."""

_HEADS = {
    "nin": "mlpconv3",
    "inception_resnet_v2": "classif",
    "xception": "fc",
    "efficientnet_lite0": "classifier",
}
"""Names of the last layers that are not called `output`."""


@cache
def stages_of(network: str) -> tuple[Stage, ...]:
    """The stages of a network, input side first; the head is none of them.

    Args:
        network: A key of `MODELS`.

    Raises:
        ConfigError: if there is no such network.
    """
    spec = lookup(MODELS, network, "network", "model.name")
    return _NETWORKS.get(network) or _FAMILIES[spec.family]


@cache
def stage_title(key: str) -> str:
    """What a person reads of a stage, whichever network has it; the key itself where none has."""
    found = (stage.title for network in MODELS for stage in stages_of(network) if stage.key == key)
    return next(found, key)


def head_of(network: str) -> str:
    """Name of the first layer of the network's own head, which a new head takes the place of."""
    return _HEADS.get(network, "output")


def frozen_stages(network: str, names: Sequence[str]) -> frozenset[str]:
    """The stages that `transfer.frozen` means: `all` stands for every one."""
    return frozenset(stage.key for stage in stages_of(network)) if "all" in names else frozenset(names)


@cache
def stage_ends(network: str) -> dict[str, str]:
    """By stage the last layer in it that is worth seeing; stages without one are left out.

    Raises:
        ConfigError: if there is no such network.
    """
    taps = lookup(MODELS, network, "network", "model.name").taps
    found = {stage.key: [tap for tap in taps if stage.holds(tap)] for stage in stages_of(network)}
    return {key: inside[-1] for key, inside in found.items() if inside}

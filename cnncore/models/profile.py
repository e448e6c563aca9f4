"""What a network costs, layer by layer, found by running it on torch's "meta" device: shapes, but no numbers.

`python -m cnncore.models.profile` writes the profiles of all presets to the file that `cnncore.catalog.profiles` reads.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from cnncore import config as settings
from cnncore.catalog import PRESETS
from cnncore.catalog.optimizers import OPTIMIZER_STATES
from cnncore.catalog.profiles import PROFILES_FILE, compact, derived, profile_key, totals
from cnncore.config import ModelConfig
from cnncore.errors import lookup
from cnncore.models.recorder import Step, kind_of, num_macs, record, window_of


@dataclass(frozen=True, kw_only=True)
class LayerProfile:
    """One layer; all counts are for one image.

    Attributes:
        name: Its name in the network, as in `get_submodule`; when it runs a second time, with `#2` behind it.
        kind: One of the values of `recorder.KINDS`, `activation`, or what the layer's class calls itself.
        kernel: Height and width of the window; `None` where there is none. The same for stride and padding.
        groups: Groups of channels that are convolved by themselves.
        in_shape: Shape of one image at its input, without the batch; empty if the layer never runs.
        out_shape: Shape of one image at its output.
        weights: Trainable numbers except biases; like all parameters, counted when the layer runs first.
        biases: Trainable numbers that are added.
        norm_statistics: Running averages of batch normalization, which are not trained.
        macs: Multiply-accumulates of convolutions and dense layers.
        activations: Values kept for the backward pass (estimated), counted at the first layer that needs them.
        indices: Positions of maxima kept for the backward pass, 8 bytes each.
        receptive_field: Pixels of the image, along the side where they are more, that one output sees; `None` once all
            positions meet. The same for jump and start.
        jump: Pixels between what neighboring outputs see: the effective stride.
        start: Middle of what the first output sees, in pixels from the image's edge; 0.5 is the first pixel's middle.
    """

    name: str
    kind: str
    kernel: tuple[int, int] | None
    stride: tuple[int, int] | None
    padding: tuple[int, int] | None
    groups: int
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    weights: int
    biases: int
    norm_statistics: int
    macs: int
    activations: int
    indices: int
    receptive_field: int | None
    jump: int | None
    start: float | None

    @property
    def num_params(self) -> int:
        """Trainable numbers."""
        return self.weights + self.biases

    def kept_bytes(self, batch_size: int, bytes_per_activation: int) -> int:
        """Memory that a batch takes here until the backward pass; 4 bytes a value in fp32, 2 in bf16 and fp16."""
        return batch_size * (self.activations * bytes_per_activation + self.indices * 8)

    def to_dict(self) -> dict[str, Any]:
        """All facts, with those of `cnncore.catalog.profiles.derived`."""
        facts = dataclasses.asdict(self)
        return {**facts, **derived(facts)}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A network's layers in the order in which they run while training, auxiliary heads included."""

    layers: tuple[LayerProfile, ...]

    @property
    def num_params(self) -> int:
        """Trainable numbers."""
        return self._total("num_params")

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one image's forward pass while training."""
        return self._total("macs")

    @property
    def activations(self) -> int:
        """Values of one image kept for the backward pass, estimated."""
        return self._total("activations")

    @property
    def indices(self) -> int:
        """Positions of maxima of one image kept for the backward pass."""
        return self._total("indices")

    def _total(self, name: str) -> int:
        return sum(getattr(layer, name) for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Totals and layers as plain data that JSON can hold."""
        sums = {name: self._total(name) for name in ("num_params", "macs", "activations", "indices")}
        return {**sums, "layers": [layer.to_dict() for layer in self.layers]}

    def totals(self, by: str) -> dict[str, dict[str, int]]:
        """Sums by `stage`, `block` or `kind`: see `cnncore.catalog.profiles.totals`."""
        return totals((layer.to_dict() for layer in self.layers), by)

    def to_json(self) -> str:
        """Totals and layers as JSON text."""
        return json.dumps(self.to_dict(), separators=(",", ":"))


def profile_model(
    config: ModelConfig, in_shape: tuple[int, int, int], num_classes: int, *, training: bool = True
) -> Profile:
    """The cost of a network for images of `in_shape` (C, H, W), found without computing anything.

    Args:
        config: The network and its options.
        in_shape: Channels, height and width of the images.
        num_classes: Number of classes.
        training: Whether auxiliary heads run; without them their layers come last, with parameters but without work.

    Raises:
        ConfigError: if `build_model` would refuse the network.
    """
    recording = record(config, in_shape, num_classes, training=training)
    ran = [layer_of(step) for step in recording.steps if step.layer is not None]
    return Profile(layers=(*ran, *(_idle(name, layer) for name, layer in recording.idle)))


def layer_of(step: Step) -> LayerProfile:
    """The facts of a layer that ran."""
    assert step.layer is not None
    window = step.window
    # Height and width differ inside factorized modules only, and after them on images that are not square.
    field = max(step.fields, key=lambda field: field.size) if step.fields else None
    return LayerProfile(
        name=step.name,
        kind=step.kind,
        kernel=window.kernel if window else None,
        stride=window.stride if window else None,
        padding=window.padding if window else None,
        groups=getattr(step.layer, "groups", 1),
        in_shape=step.in_shape,
        out_shape=step.out_shape,
        **(_params(step.layer) if step.first else _NO_PARAMS),
        macs=num_macs(step.layer, step.out_shape),
        activations=step.activations,
        indices=step.indices,
        receptive_field=field.size if field else None,
        jump=field.jump if field else None,
        start=field.start if field else None,
    )


def _idle(name: str, layer: nn.Module) -> LayerProfile:
    """A layer that has parameters but never runs."""
    window = window_of(layer)
    return LayerProfile(
        name=name,
        kind=kind_of(layer),
        kernel=window.kernel if window else None,
        stride=window.stride if window else None,
        padding=window.padding if window else None,
        groups=getattr(layer, "groups", 1),
        in_shape=(),
        out_shape=(),
        **_params(layer),
        macs=0,
        activations=0,
        indices=0,
        receptive_field=None,
        jump=None,
        start=None,
    )


_NO_PARAMS = {"weights": 0, "biases": 0, "norm_statistics": 0}


def _params(layer: nn.Module) -> dict[str, int]:
    """The parameters and statistics of a layer and all it holds."""
    named = [(name.rpartition(".")[2], values.numel()) for name, values in layer.named_parameters()]
    biases = sum(count for name, count in named if name == "bias")
    norms = (module for module in layer.modules() if isinstance(module, nn.BatchNorm2d))
    return {
        "weights": sum(count for _, count in named) - biases,
        "biases": biases,
        "norm_statistics": sum(2 * norm.num_features for norm in norms if norm.track_running_stats),
    }


def memory_bytes(profile: Profile, batch_size: int, optimizer_name: str, bytes_per_activation: int) -> int:
    """Estimated memory of training: weights, gradients and optimizer state in fp32, and what is kept of a batch.

    Not in it: the framework itself, workspaces of the kernels, the data set.

    Args:
        profile: The network's profile.
        batch_size: Images a batch.
        optimizer_name: Key of OPTIMIZERS.
        bytes_per_activation: 2 for bf16 and fp16, 4 for fp32.

    Raises:
        ConfigError: if there is no such optimizer.
    """
    copies = 2 + lookup(OPTIMIZER_STATES, optimizer_name, "optimizer", "optimizer.name")
    kept = sum(layer.kept_bytes(batch_size, bytes_per_activation) for layer in profile.layers)
    return profile.num_params * 4 * copies + kept


def preset_profiles() -> dict[str, dict[str, Any]]:
    """The profiles of all presets' networks, by `profile_key`; presets that share a network share its profile."""
    profiles: dict[str, dict[str, Any]] = {}
    for name in PRESETS:
        config = settings.preset(name)
        in_shape, num_classes = settings.in_shape(config), len(config.dataset_spec.classes)
        key = profile_key(config.model.model_dump(), in_shape, num_classes)
        if key not in profiles:
            profiles[key] = profile_model(config.model, in_shape, num_classes).to_dict()
    return profiles


def write_preset_profiles(path: Path = PROFILES_FILE) -> None:
    """Writes the presets' profiles as JSON, one network a line, without what `catalog.profiles` adds on reading."""
    compacted = {
        key: {**profile, "layers": [compact(layer) for layer in profile["layers"]]}
        for key, profile in preset_profiles().items()
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in compacted.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write_preset_profiles()

"""What a network costs, layer by layer, found by running it on torch's "meta" device: shapes, but no numbers.

`python -m cnncore.models.profile` writes the profiles of all presets to the file that `cnncore.catalog.profiles` reads.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnncore import config as settings
from cnncore.arithmetic import ReceptiveField, conv_macs, dense_macs
from cnncore.catalog import PRESETS
from cnncore.catalog.profiles import PROFILES_FILE, profile_key
from cnncore.config import ModelConfig
from cnncore.errors import lookup
from cnncore.models import build_model
from cnncore.models.blocks import PartialConv2d

KINDS: dict[type[nn.Module], str] = {
    nn.Conv2d: "convolution",
    nn.Linear: "dense",
    nn.BatchNorm2d: "normalization",
    nn.MaxPool2d: "pooling",
    nn.AvgPool2d: "pooling",
    nn.AdaptiveAvgPool2d: "pooling",
    nn.Dropout: "dropout",
    nn.Flatten: "reshape",
    nn.ZeroPad2d: "padding",
}
"""What torch's layers are called; our own classes say it themselves (`kind`), all others are activations."""

OPTIMIZER_STATES = {"sgd": 0, "momentum": 1, "nesterov": 1, "adam": 2, "adamw": 2, "rmsprop": 2}
"""Numbers that an optimizer keeps for each parameter (RMSprop: with momentum)."""

Window = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Kernel, stride and padding, each as (height, width)."""

BATCH = 2
"""Images that are run: batch normalization needs two."""


@dataclass(frozen=True, kw_only=True)
class LayerProfile:
    """One layer; all counts are for one image.

    Attributes:
        name: Its name in the network, as in `get_submodule`.
        kind: One of the values of KINDS, or `activation`.
        kernel: Height and width of the window; `None` where there is none. The same for stride and padding.
        in_shape: Shape of one image at its input, without the batch.
        out_shape: Shape of one image at its output.
        weights: Trainable numbers except biases.
        biases: Trainable numbers that are added.
        norm_statistics: Running averages of batch normalization, which are not trained.
        macs: Multiply-accumulates of convolutions and dense layers.
        activations: Values kept for the backward pass (estimated), counted at the first layer that needs them.
        indices: Positions of maxima kept for the backward pass, 8 bytes each.
        receptive_field: Pixels of the image along a side that one output sees; `None` once all positions meet.
    """

    name: str
    kind: str
    kernel: tuple[int, int] | None
    stride: tuple[int, int] | None
    padding: tuple[int, int] | None
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    weights: int
    biases: int
    norm_statistics: int
    macs: int
    activations: int
    indices: int
    receptive_field: int | None

    @property
    def num_params(self) -> int:
        """Trainable numbers."""
        return self.weights + self.biases


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
        layers = [{**dataclasses.asdict(layer), "num_params": layer.num_params} for layer in self.layers]
        totals = {name: self._total(name) for name in ("num_params", "macs", "activations", "indices")}
        return {**totals, "layers": layers}

    def to_json(self) -> str:
        """Totals and layers as JSON text."""
        return json.dumps(self.to_dict(), separators=(",", ":"))


def profile_model(config: ModelConfig, in_shape: tuple[int, int, int], num_classes: int) -> Profile:
    """The cost of a network for images of `in_shape` (C, H, W), found without computing anything.

    Raises:
        ConfigError: if `build_model` would refuse the network.
    """
    with torch.device("meta"):
        model = build_model(config, in_shape, num_classes).train()
        images = torch.empty(BATCH, *in_shape)
    recorder = _Recorder(model)
    with recorder, torch.autograd.graph.saved_tensors_hooks(recorder.keep, lambda kept: kept):
        model(images)
    return Profile(layers=tuple(recorder.layers))


class _Recorder(TorchFunctionMode):
    """Notes each layer as it runs.

    Receptive fields travel with the tensors: any operation hands the largest one of its inputs on (which is right for
    sums and for stacked branches), then the layer's window is applied.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.layers: list[LayerProfile] = []
        self._fields: dict[int, ReceptiveField | None] = {}
        # Storages are recognized by identity, so everything seen stays alive until the end.
        self._alive: list[Any] = []
        self._kept = {own.untyped_storage()._cdata for own in (*model.parameters(), *model.buffers())}
        self._values = self._positions = 0
        for name, layer in model.named_modules():
            if next(layer.children(), None) is None and not isinstance(layer, nn.Identity):
                layer.register_forward_hook(partial(self._after, name))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            flat = [item for arg in args for item in (arg if isinstance(arg, (list, tuple)) else (arg,))]
            fields = [self._fields[id(item)] for item in flat if id(item) in self._fields]
            if fields:
                largest = None if None in fields else max((f for f in fields if f), key=lambda field: field.size)
                self._remember(result, largest)
        return result

    def _remember(self, tensor: Tensor, field: ReceptiveField | None) -> None:
        self._alive.append(tensor)
        self._fields[id(tensor)] = field

    def keep(self, tensor: Tensor) -> Tensor:
        """Counts a tensor that autograd keeps, unless it is a parameter or already counted."""
        storage = tensor.untyped_storage()
        if storage._cdata not in self._kept:
            self._alive.append(tensor)
            self._kept.add(storage._cdata)
            if tensor.dtype == torch.int64:
                self._positions += tensor.numel()
            else:
                self._values += tensor.numel()
        return tensor

    def _after(self, name: str, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        source = inputs[0]
        window = _window(layer)
        field = self._field(layer, source, window)
        self._remember(output, field)
        own = dict(layer.named_parameters(recurse=False))
        biases = own["bias"].numel() if "bias" in own else 0
        out_shape = tuple(output.shape[1:])
        self.layers.append(
            LayerProfile(
                name=name,
                kind=getattr(layer, "kind", None) or KINDS.get(type(layer), "activation"),
                kernel=window[0] if window else None,
                stride=window[1] if window else None,
                padding=window[2] if window else None,
                in_shape=tuple(source.shape[1:]),
                out_shape=out_shape,
                weights=sum(parameter.numel() for parameter in own.values()) - biases,
                biases=biases,
                norm_statistics=2 * layer.num_features if isinstance(layer, nn.BatchNorm2d) else 0,
                macs=_macs(layer, out_shape),
                activations=self._values // BATCH,
                indices=self._positions // BATCH,
                receptive_field=field.size if field else None,
            )
        )
        self._values = self._positions = 0

    def _field(self, layer: nn.Module, source: Tensor, window: Window | None) -> ReceptiveField | None:
        """What an output of the layer sees; the network's input, which no layer made, sees itself."""
        field = self._fields.get(id(source), ReceptiveField())
        if isinstance(layer, (nn.AdaptiveAvgPool2d, nn.Flatten, nn.Linear)) or field is None:
            return None
        return field.through(window[0][0], window[1][0]) if window else field


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _window(layer: nn.Module) -> Window | None:
    """Kernel, stride and padding, if the layer slides a window."""
    if not hasattr(layer, "kernel_size"):
        return None
    kernel, stride, padding = (_pair(getattr(layer, name)) for name in ("kernel_size", "stride", "padding"))
    return kernel, stride, padding


def _macs(layer: nn.Module, out_shape: tuple[int, ...]) -> int:
    if isinstance(layer, nn.Linear):
        return dense_macs(layer.in_features, layer.out_features)
    if isinstance(layer, nn.Conv2d):
        # Each weight is used once at every position, with groups and windows that are not square too.
        return layer.weight.numel() * math.prod(out_shape[1:])
    if isinstance(layer, PartialConv2d):
        # A partly connected layer is computed with zeros in its gaps.
        return conv_macs(layer.in_channels, layer.out_channels, layer.kernel_size[0], *out_shape[1:])
    return 0


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
    kept = profile.activations * bytes_per_activation + profile.indices * 8
    return profile.num_params * 4 * copies + batch_size * kept


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
    """Writes the presets' profiles as JSON, one network a line."""
    lines = [
        f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in preset_profiles().items()
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write_preset_profiles()

"""Runs a network on torch's "meta" device and notes what happens to its tensors: layers and joins in their order.

The tensors are followed by identity, through any Python code, so that every network can be recorded as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnncore.arithmetic import ReceptiveField
from cnncore.config import ModelConfig
from cnncore.models import build_model
from cnncore.models.blocks import PartialConv2d

BATCH = 2
"""Images that are run: batch normalization needs two."""

KINDS = {
    "pool": "pooling",
    "norm": "normalization",
    "conv": "convolution",
    "linear": "dense",
    "drop": "dropout",
    "flatten": "reshape",
    "pad": "padding",
}
"""What a layer is by a word in the name of its class; our own classes say it themselves (`kind`), others are
activations."""

FUNCTION_KINDS = {
    "add": "add",
    "concat": "concat",
    "mul": "multiply",
    "relu": "activation",
    "flatten": "reshape",
    "reshape": "reshape",
    "view": "reshape",
    "mean": "pooling",
    "max_pool2d": "pooling",
    "avg_pool2d": "pooling",
    "adaptive_avg_pool2d": "pooling",
    "pad": "padding",
}
"""What a function is that a network calls outside its layers; a function that is not here has its name as its kind."""

ALIASES = {"iadd": "add", "radd": "add", "sub": "add", "cat": "concat", "concatenate": "concat", "imul": "mul"}
"""Functions that do what another one does, as far as a graph tells."""

INPUT = "input"
OPAQUE = (nn.modules.batchnorm._BatchNorm, nn.Conv2d, nn.Linear)
"""Layers that count as one even where they hold others, as timm's normalization with its activation does."""

Fields = tuple[ReceptiveField, ReceptiveField]
"""What an output sees of the image along its height and its width."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """A sliding window; each pair is (height, width)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int] = (1, 1)

    def through(self, fields: Fields) -> Fields:
        """What an output sees after this window."""
        height, width = (
            field.through(self.kernel[axis], self.stride[axis], self.padding[axis], self.dilation[axis])
            for axis, field in enumerate(fields)
        )
        return height, width


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happened: a layer ran, or a function joined or reshaped tensors.

    Attributes:
        name: The layer's name, as in `get_submodule`, or that of the module that called the function with the
            function's name; a second time `#2` is added.
        kind: One of the values of KINDS and FUNCTION_KINDS, `input`, or what the layer's class calls itself.
        type: Name of the layer's class or of the function.
        layer: The layer, if it is one.
        first: Whether the layer runs for the first time, so that its parameters have not been counted.
        inputs: Positions of the steps whose outputs it takes, without repetition.
        in_shape: Shape of one image at its (first) input.
        out_shape: Shape of one image at its output.
        window: Its sliding window.
        fields: What one output sees; `None` once all positions meet.
        activations: Values kept for the backward pass, counted at the first layer that needs them.
        indices: Positions of maxima kept for the backward pass.
    """

    name: str
    kind: str
    type: str
    layer: nn.Module | None
    first: bool
    inputs: tuple[int, ...]
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    window: Window | None = None
    fields: Fields | None = None
    activations: int = 0
    indices: int = 0


@dataclass(frozen=True)
class Recording:
    """What happened, the input first, and the layers with parameters that never ran."""

    steps: tuple[Step, ...]
    idle: tuple[tuple[str, nn.Module], ...]


def record(
    config: ModelConfig, in_shape: tuple[int, int, int], num_classes: int, *, training: bool = True
) -> Recording:
    """Runs a network for images of `in_shape` (C, H, W) without computing anything.

    Args:
        config: The network and its options.
        in_shape: Channels, height and width of the images.
        num_classes: Number of classes.
        training: Whether what only works while training, such as auxiliary heads, runs as well.

    Raises:
        ConfigError: if `build_model` would refuse the network.
    """
    with torch.device("meta"):
        model = build_model(config, in_shape, num_classes).train(training)
    return record_model(model, in_shape)


def record_model(model: nn.Module, in_shape: tuple[int, int, int]) -> Recording:
    """The same for a network on the "meta" device, which cannot be used for anything else afterwards."""
    images = torch.empty(BATCH, *in_shape, device="meta")
    recorder = _Recorder(model, images)
    with recorder, torch.autograd.graph.saved_tensors_hooks(recorder.keep, lambda kept: kept):
        model(images)
    idle = [
        (name, layer)
        for name, layer in recorder.layers.items()
        if name not in recorder.counts and next(layer.parameters(), None) is not None
    ]
    return Recording(tuple(recorder.steps), tuple(idle))


def layers_of(model: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The layers of a network by name: modules without others in them, and those that count as one."""
    for name, child in model.named_children():
        if isinstance(child, OPAQUE) or next(child.children(), None) is None:
            if not isinstance(child, nn.Identity):
                yield prefix + name, child
        else:
            yield from layers_of(child, f"{prefix}{name}.")


class _Recorder(TorchFunctionMode):
    """Follows tensors: which step made them, and what of the image they see.

    Attributes:
        layers: The network's layers by name.
        counts: How often each name has been used.
        steps: What has happened so far.
    """

    def __init__(self, model: nn.Module, images: Tensor) -> None:
        super().__init__()
        self.layers = dict(layers_of(model))
        self.counts: Counter[str] = Counter()
        shape = tuple(images.shape[1:])
        start = Step(
            name=INPUT, kind=INPUT, type=INPUT, layer=None, first=True, inputs=(), in_shape=shape, out_shape=shape
        )
        self.steps = [start]
        self._made_by: dict[int, tuple[int, Fields | None]] = {}
        # Tensors and storages are recognized by identity, so everything seen stays alive until the end.
        self._alive: list[Any] = []
        self._kept = {own.untyped_storage()._cdata for own in (*model.parameters(), *model.buffers())}
        self._values = self._positions = 0
        self._modules: list[str] = []
        self._inside = 0
        self._remember(images, 0, (ReceptiveField(), ReceptiveField()))
        for name, module in model.named_modules():
            if name in self.layers:
                module.register_forward_pre_hook(self._enter)
                module.register_forward_hook(partial(self._leave, name))
            else:
                module.register_forward_pre_hook(lambda _module, _inputs, name=name: self._modules.append(name))
                module.register_forward_hook(lambda _module, _inputs, _output: self._modules.pop() and None)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is nn.functional.batch_norm:
            # On "meta" torch takes it apart into some twenty operations: most of the time for a deep network.
            result = _BatchNorm.apply(args[0], kwargs["weight"] if "weight" in (kwargs or {}) else args[3])
        else:
            result = func(*args, **(kwargs or {}))
        tensors = [each for each in _flat((args, tuple((kwargs or {}).values()))) if id(each) in self._made_by]
        if tensors and not self._inside:
            for made in _flat(result):
                self._call(getattr(func, "__name__", "").strip("_"), tensors, made)
        return result

    def _call(self, function: str, tensors: list[Tensor], result: Tensor) -> None:
        """A function outside the layers: a step where it joins tensors, changes a shape or is an activation."""
        made = [self._made_by[id(tensor)] for tensor in tensors]
        inputs = tuple(dict.fromkeys(step for step, _ in made))
        function = ALIASES.get(function, function)
        kind = FUNCTION_KINDS.get(function, function)
        fields = _joined([fields for _, fields in made])
        # A result with another shape than the step's is of another shape than what that step handed on.
        changed = tuple(result.shape[1:]) != self.steps[inputs[0]].out_shape
        if len(inputs) == 1 and not changed and kind != "activation":
            self._remember(result, inputs[0], fields)
            return
        module = next(reversed(self._modules), "")
        if kind in ("pooling", "reshape") or len(result.shape) < 4:
            fields = None
        self._add(
            f"{module}.{function}" if module else function, kind, function, None, inputs, tensors[0], result, fields
        )

    def _add(
        self,
        name: str,
        kind: str,
        type_name: str,
        layer: nn.Module | None,
        inputs: tuple[int, ...],
        source: Tensor,
        output: Tensor,
        fields: Fields | None,
        window: Window | None = None,
    ) -> None:
        self.counts[name] += 1
        count = self.counts[name]
        step = Step(
            name=name if count == 1 else f"{name}#{count}",
            kind=kind,
            type=type_name,
            layer=layer,
            first=count == 1,
            inputs=inputs,
            in_shape=tuple(source.shape[1:]),
            out_shape=tuple(output.shape[1:]),
            window=window,
            fields=fields,
            activations=self._values // BATCH if layer else 0,
            indices=self._positions // BATCH if layer else 0,
        )
        if layer:
            self._values = self._positions = 0
        self.steps.append(step)
        self._remember(output, len(self.steps) - 1, fields)

    def _remember(self, tensor: Tensor, step: int, fields: Fields | None) -> None:
        self._alive.append(tensor)
        self._made_by[id(tensor)] = (step, fields)

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

    def _enter(self, _layer: nn.Module, _inputs: tuple[Any, ...]) -> None:
        self._inside += 1

    def _leave(self, name: str, layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        self._inside -= 1
        sources = [tensor for tensor in _flat(inputs) if id(tensor) in self._made_by]
        made = [self._made_by[id(tensor)] for tensor in sources]
        fields, window = _joined([fields for _, fields in made]), window_of(layer)
        if window is not None and type(layer).__name__.endswith("Same"):
            window = _padded_same(window, tuple(sources[0].shape[2:]), tuple(output.shape[2:]))
        if fields is not None:
            fields = _seen_after(layer, window, fields, sources[0], output)
        steps = tuple(dict.fromkeys(step for step, _ in made))
        self._add(name, kind_of(layer), type(layer).__name__, layer, steps, sources[0], output, fields, window)


class _BatchNorm(torch.autograd.Function):
    """Keeps for the backward pass what batch normalization keeps: its input, and mean and deviation of each channel."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight, x.new_empty(x.shape[1]), x.new_empty(x.shape[1]))
        return torch.empty_like(x)


def _flat(value: Any) -> list[Tensor]:
    """The tensors in nested tuples and lists."""
    if isinstance(value, Tensor):
        return [value]
    return [tensor for item in value for tensor in _flat(item)] if isinstance(value, tuple | list) else []


def _joined(found: list[Fields | None]) -> Fields | None:
    """What is seen through any of the branches; `None` if one of them sees everything."""
    known = [fields for fields in found if fields is not None]
    if not known or len(known) < len(found):
        return None
    height, width = known[0]
    for other in known[1:]:
        height, width = height.joined(other[0]), width.joined(other[1])
    return height, width


def kind_of(layer: nn.Module) -> str:
    """What the layer is: a value of KINDS, `activation`, or what its class says."""
    own = getattr(layer, "kind", None)
    if isinstance(own, str):
        return own
    name = type(layer).__name__.lower()
    return next((kind for word, kind in KINDS.items() if word in name), "activation")


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


def window_of(layer: nn.Module) -> Window | None:
    """The window that a layer slides, if it does."""
    if not hasattr(layer, "kernel_size"):
        return None
    kernel, stride = _pair(layer.kernel_size), _pair(layer.stride)  # pyright: ignore[reportArgumentType]
    dilation = _pair(getattr(layer, "dilation", 1))
    padding: Any = layer.padding
    if isinstance(padding, str):
        same = padding == "same"
        padding = tuple(reach * (size - 1) // 2 if same else 0 for size, reach in zip(kernel, dilation, strict=True))
    return Window(kernel=kernel, stride=stride, padding=_pair(padding), dilation=dilation)


def _padded_same(window: Window, before: tuple[int, ...], after: tuple[int, ...]) -> Window:
    """The window of timm's layers that pad as TensorFlow does: as little as needed, the smaller half above and left."""
    top, left = (
        max((count - 1) * stride + reach * (size - 1) + 1 - side, 0) // 2
        for side, count, size, stride, reach in zip(
            before, after, window.kernel, window.stride, window.dilation, strict=True
        )
    )
    return replace(window, padding=(top, left))


def _seen_after(
    layer: nn.Module, window: Window | None, fields: Fields, source: Tensor, output: Tensor
) -> Fields | None:
    """What an output of the layer sees."""
    kind, name = kind_of(layer), type(layer).__name__
    if kind in ("dense", "reshape") or len(output.shape) < 4:
        return None
    if window is not None:
        return window.through(fields)
    if "Adaptive" in name:
        return _adapted(fields, tuple(source.shape[2:]), tuple(output.shape[2:]))
    if kind == "padding":
        left, _, top, _ = layer.padding  # pyright: ignore[reportGeneralTypeIssues]
        return fields[0].through(1, padding=int(top)), fields[1].through(1, padding=int(left))
    return fields


def _adapted(fields: Fields, before: tuple[int, ...], after: tuple[int, ...]) -> Fields | None:
    """Adaptive pooling slides a window where the sizes divide; where one output sees all, or they do not, `None`."""
    if prod(after) == 1 or any(size % count for size, count in zip(before, after, strict=True)):
        return None
    height, width = (
        field.through(size // count, size // count) for field, size, count in zip(fields, before, after, strict=True)
    )
    return height, width


def num_macs(layer: nn.Module, out_shape: tuple[int, ...]) -> int:
    """Multiply-accumulates of a convolution or dense layer for one image, 0 of all others."""
    if isinstance(layer, PartialConv2d):
        # Computed with zeros in its gaps.
        return layer.in_channels * prod(layer.kernel_size) * prod(out_shape)
    if isinstance(layer, nn.Conv2d):
        # Each filter sees the channels of its group only, and the weights are shaped so.
        return layer.weight.numel() * prod(out_shape[1:])
    return layer.weight.numel() * prod(out_shape[:-1]) if isinstance(layer, nn.Linear) else 0

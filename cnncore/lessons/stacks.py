"""A stack of layers, one on the other: shapes, parameters, multiply-accumulates and what one output sees, step by step.

The arithmetic is that of `cnncore.arithmetic`, which the profiles of the networks use too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cnncore.arithmetic import (
    ReceptiveField,
    conv_macs,
    conv_output_size,
    conv_params,
    dense_macs,
    dense_params,
    pool_output_size,
)
from cnncore.errors import ConfigError

Kind = Literal["conv", "pool", "flatten", "dense"]
MOST_LAYERS = 40
MOST_UNITS = 4_096


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of the stack.

    Attributes:
        kind: Convolution, pooling, flattening or a dense layer.
        units: Filters of a convolution, outputs of a dense layer.
        kernel: Height and width of the window.
        stride: Pixels from one place to the next.
        padding: Pixels added on each side.
        dilation: Pixels from one value of the kernel to the next.
        groups: Groups of channels that are convolved by themselves.
    """

    kind: Kind
    units: int = 1
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1


@dataclass(frozen=True, kw_only=True)
class Row:
    """A layer in its place.

    Attributes:
        layer: The layer.
        in_shape: (C, H, W), or (N,) after flattening; the same for out_shape.
        params: Trainable numbers, biases included.
        macs: Multiply-accumulates for one image.
        field: What one output sees along a side; None once it sees everything.
        formula: How the output's size comes about, with the numbers in it; empty for a dense layer.
    """

    layer: Layer
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    params: int
    macs: int
    field: ReceptiveField | None
    formula: str

    @property
    def middle_seen(self) -> tuple[float, float] | None:
        """What the output in the middle sees along a side of a square input: its first pixel, and the one after it.

        Beyond the input's edges where it sees padding. None once every output sees everything.
        """
        if self.field is None:
            return None
        # Flattening keeps the places of the maps.
        places = (self.in_shape if self.layer.kind == "flatten" else self.out_shape)[1]
        first = self.field.start + (places - 1) // 2 * self.field.jump - self.field.size / 2
        return first, first + self.field.size


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack as far as it is possible.

    Attributes:
        rows: One a layer.
        broken_at: Place of the first layer that is impossible; -1 where none is.
        problem: Why it is; None where none is.
    """

    rows: tuple[Row, ...]
    broken_at: int = -1
    problem: ConfigError | None = None

    @property
    def params(self) -> int:
        """Trainable numbers of all layers."""
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all layers for one image."""
        return sum(row.macs for row in self.rows)


def size_formula(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> str:
    """The output's size with the numbers in it, as students write it.

    Raises:
        ConfigError: if the window does not fit.
    """
    found = conv_output_size(size, kernel, stride, padding, dilation)
    covered = f"{dilation} · ({kernel} − 1) − 1" if dilation > 1 else str(kernel)
    return f"⌊({size} + 2 · {padding} − {covered}) / {stride}⌋ + 1 = {found}"


def check_groups(channels: int, filters: int, groups: int) -> None:
    """See that both can be divided into so many groups.

    Raises:
        ConfigError: if they cannot.
    """
    if groups < 1 or channels % groups or filters % groups:
        raise ConfigError(
            "groups",
            f"{channels} channels and {filters} filters cannot be divided into {groups} groups.",
            "Take a number that divides both.",
        )


def build_stack(in_shape: tuple[int, int, int], layers: Sequence[Layer]) -> Stack:
    """The layers on an input (C, H, W), up to the first that is impossible."""
    rows: list[Row] = []
    shape: tuple[int, ...] = in_shape
    field: ReceptiveField | None = ReceptiveField()
    for place, layer in enumerate(layers):
        try:
            row = _BUILDERS[layer.kind](layer, shape, field)
        except ConfigError as problem:
            return Stack(rows=tuple(rows), broken_at=place, problem=problem)
        rows.append(row)
        shape, field = row.out_shape, row.field
    return Stack(rows=tuple(rows))


def _conv(layer: Layer, shape: tuple[int, ...], field: ReceptiveField | None) -> Row:
    channels, height, width = _maps(layer, shape)
    check_groups(channels, layer.units, layer.groups)
    sizes = [
        conv_output_size(size, layer.kernel, layer.stride, layer.padding, layer.dilation) for size in (height, width)
    ]
    return Row(
        layer=layer,
        in_shape=shape,
        out_shape=(layer.units, *sizes),
        params=conv_params(channels, layer.units, layer.kernel, groups=layer.groups),
        macs=conv_macs(channels, layer.units, layer.kernel, sizes[0], sizes[1], groups=layer.groups),
        field=field and field.through(layer.kernel, layer.stride, layer.padding, layer.dilation),
        formula=size_formula(height, layer.kernel, layer.stride, layer.padding, layer.dilation),
    )


def _pool(layer: Layer, shape: tuple[int, ...], field: ReceptiveField | None) -> Row:
    channels, height, width = _maps(layer, shape)
    if layer.padding > layer.kernel // 2:
        raise ConfigError("padding", f"The padding is {layer.padding}; at most half the window is possible.")
    sizes = [pool_output_size(size, layer.kernel, layer.stride, layer.padding) for size in (height, width)]
    return Row(
        layer=layer,
        in_shape=shape,
        out_shape=(channels, *sizes),
        params=0,
        macs=0,
        field=field and field.through(layer.kernel, layer.stride, layer.padding),
        formula=size_formula(height, layer.kernel, layer.stride, layer.padding),
    )


def _flatten(layer: Layer, shape: tuple[int, ...], field: ReceptiveField | None) -> Row:
    channels, height, width = _maps(layer, shape)
    out = (channels * height * width,)
    formula = f"{channels} · {height} · {width} = {out[0]}"
    return Row(layer=layer, in_shape=shape, out_shape=out, params=0, macs=0, field=field, formula=formula)


def _dense(layer: Layer, shape: tuple[int, ...], _field: ReceptiveField | None) -> Row:
    if len(shape) != 1:
        raise ConfigError("layer", "A dense layer takes a row of numbers, not maps.", "Flatten the maps first.")
    return Row(
        layer=layer,
        in_shape=shape,
        out_shape=(layer.units,),
        params=dense_params(shape[0], layer.units),
        macs=dense_macs(shape[0], layer.units),
        field=None,
        formula="",
    )


def _maps(layer: Layer, shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ConfigError(
            "layer", f"A {_NAMES[layer.kind]} takes maps, not a row of numbers.", "Put it before flatten."
        )
    return shape[0], shape[1], shape[2]


_NAMES: dict[Kind, str] = {"conv": "convolution", "pool": "pooling", "flatten": "flattening", "dense": "dense layer"}
_BUILDERS = {"conv": _conv, "pool": _pool, "flatten": _flatten, "dense": _dense}

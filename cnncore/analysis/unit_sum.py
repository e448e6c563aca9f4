"""The sum that a value of a feature map came from: kernel, patch, products, and what was done to it afterwards.

A value is followed back through normalization, activation, pooling and stacked branches to the convolution that made
it. Of a window that takes the maximum the winner is followed; of one that averages, the value that counts most. Sums of
two branches (shortcuts) are no single convolution's: there the way back ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from cnncore.analysis.feature_maps import values_around
from cnncore.analysis.layers import Layout, MapLayer, layout_of, map_layer
from cnncore.analysis.seen import taps_of
from cnncore.errors import ConfigError
from cnncore.models.blocks import PartialConv2d
from cnncore.models.recorder import INPUT, Step
from cnncore.training.trained import TrainedNetwork

IMAGE = "image"
"""What a convolution reads that gets the normalized pixels."""
CONVOLUTION = "convolution"
POOLING = "pooling"
FOLLOWED = frozenset({"normalization", "activation", POOLING, "dropout"})
"""What has one value for each value that it gets, or for each window of them."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvolutionSum:
    """The sum that a convolution makes at one position.

    Attributes:
        layer: The convolution.
        unit: Its filter.
        row: Position in its maps.
        column: Likewise.
        reads: The layer whose maps it gets, or `image`.
        channels: The maps of the input that the filter sees.
        top: Row of the window's first value in the input's maps; below 0 in the padding.
        left: Likewise the column.
        dilation: Rows and columns from one value of the window to the next.
        kernel: The filter's weights, float32 (n, kh, kw), a window for each of `channels`.
        patch: The values under them, 0 in the padding.
        inside: Whether a value of the window is none of the padding, bool (kh, kw).
        products: Kernel times patch, float64.
        terms: The products of each channel added up, (n,).
        bias: Added in the end.
    """

    layer: str
    unit: int
    row: int
    column: int
    reads: str
    channels: tuple[int, ...]
    top: int
    left: int
    dilation: tuple[int, int]
    kernel: npt.NDArray[np.float32]
    patch: npt.NDArray[np.float32]
    inside: npt.NDArray[np.bool_]
    products: Numbers
    terms: Numbers
    bias: float

    @property
    def value(self) -> float:
        """The sum."""
        return float(self.terms.sum()) + self.bias


@dataclass(frozen=True, kw_only=True)
class PooledWindow:
    """What a pooling looked at.

    Attributes:
        values: Of the window, row by row; those of the padding are left out.
        rows: Of the values in the map that is pooled.
        columns: Likewise.
        takes: `max` or `average`.
        winner: Row and column of the largest value, or of the one that counts most in the average.
    """

    values: tuple[tuple[float, ...], ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    takes: str
    winner: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A layer on the way from the convolution, and the value behind it.

    Attributes:
        name: Of the layer.
        kind: As `LayerProfile.kind`.
        type: Name of its class.
        unit: Channel of the value.
        row: Position of the value.
        column: Likewise.
        value: Behind the layer, as the network computed it.
        chosen: Whether it is the value that was asked for; those after it follow it in the network.
        window: What a pooling looked at.
    """

    name: str
    kind: str
    type: str
    unit: int
    row: int
    column: int
    value: float
    chosen: bool = False
    window: PooledWindow | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitSum:
    """How a value of a feature map came about.

    Attributes:
        layer: The layer that was asked for.
        unit: Channel.
        row: Position.
        column: Likewise.
        value: The value there.
        box: The pixels of the image that it sees: top, left, bottom, right.
        sum: The sum that it came from; None where it came from no single one.
        stages: The convolution and what followed, in order, with the value behind each.
        addends: Where branches are added: the layers that the parts come from, with what each adds.
        note: What cannot be told by numbers; empty if there is nothing.
    """

    layer: MapLayer
    unit: int
    row: int
    column: int
    value: float
    box: tuple[int, int, int, int]
    sum: ConvolutionSum | None
    stages: tuple[Stage, ...]
    addends: tuple[tuple[str, float], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class _Link:
    """A step on the way, with the channel of the value there."""

    place: int
    unit: int


@dataclass(frozen=True)
class _Way:
    """The steps back from a layer, itself first, where it ends, the steps that are added if that is a sum, a note."""

    back: tuple[_Link, ...]
    end: Step
    ahead: tuple[_Link, ...]
    added: tuple[_Link, ...]
    note: str


def unit_sum(network: TrainedNetwork, image: Tensor, layer: str, unit: int, row: int, column: int) -> UnitSum:
    """How the value of a channel (`unit`) at a position came about.

    Args:
        network: Whose layer it is.
        image: Normalized, (1, C, H, W).
        layer: One of `map_layers`.
        unit: Channel.
        row: Position.
        column: Likewise.

    Raises:
        LabError: if the network has no such layer, or the layer no such unit or position.
    """
    found, _ = map_layer(network, layer)
    box = found.seen_by(row, column, network.preprocessing.size)
    if not 0 <= unit < found.shape[0]:
        raise ConfigError("unit", f"{layer} has no unit {unit}.", f"Allowed: 0 to {found.shape[0] - 1}.")
    layout = layout_of(network)
    way = _way(layout, layer, unit)
    names = _names(layout)
    passed = [layout.steps[link.place] for link in way.back]
    into = [step.name for step in passed if step.kind in (POOLING, CONVOLUTION)]
    added = {names[link.place]: link.unit for link in way.added if link.place in names}
    later = [layout.steps[link.place].name for link in way.ahead]
    given, left = values_around(network.model, image, into, [*(step.name for step in passed), layer, *later, *added])
    stages, place = _followed(layout, way, (row, column), given, left)
    scales = {name: _scale_of(network.model, way.end, name) for name in added}
    scaled = [(name, scale) for name, scale in scales.items() if scale != 1]
    return UnitSum(
        layer=found,
        unit=unit,
        row=row,
        column=column,
        value=float(left[layer][unit, row, column]),
        box=box,
        sum=_sum(network.model, layout, way.back[-1], place, given) if passed and _has_sum(passed[-1]) else None,
        stages=stages,
        addends=tuple((name, scales[name] * float(left[name][channel][place])) for name, channel in added.items()),
        note=" ".join([way.note, *(f"Of {name} {scale:g} times its value counts." for name, scale in scaled)]).strip(),
    )


def _scale_of(model: nn.Module, end: Step, addend: str) -> float:
    """What a part of a sum is multiplied with: timm's Inception-ResNet-v2 scales what a block adds to its input."""
    block = end.name.rpartition(".")[0]
    scale = getattr(model.get_submodule(block), "scale", None)
    return scale if isinstance(scale, float) and addend.startswith(f"{block}.") else 1.0


def _names(layout: Layout) -> dict[int, str]:
    """The module whose output a step is; functions inside blocks are the block's where they come last."""
    blocks = {place: name for name, place in reversed(layout.made_by.items())}
    return blocks | {place: step.name for place, step in enumerate(layout.steps) if step.layer is not None}


def _way(layout: Layout, layer: str, unit: int) -> _Way:
    """The way back from a layer to the convolution that its values come from, as far as there is one."""
    start = layout.made_by[layer]
    link, back, notes = _Link(start, unit), list[_Link](), list[str]()
    added: tuple[_Link, ...] = ()
    while True:
        step = layout.steps[link.place]
        if step.kind == "concat":
            link = _branch(layout, step, link.unit)
            notes.append(f"Branches are stacked here; this map comes from {layout.steps[link.place].name}.")
            continue
        if _has_sum(step) or _is_followed(step):
            back.append(link)
        if not _is_followed(step):
            break
        if _averages(step):
            notes.append(f"{step.name} averages its window; the sum is that of the value that counts most in it.")
        link = _Link(step.inputs[0], link.unit)
    if step.kind == "add":
        added = tuple(_Link(place, link.unit) for place in step.inputs)
    if not _has_sum(step):
        notes.append(_ending(step))
    return _Way(tuple(back), step, _ahead(layout, _Link(start, unit)), added, " ".join(notes))


def _ending(step: Step) -> str:
    if step.kind == "add":
        return "The value is what branches add up to, so it is no single convolution's sum."
    if not step.first:
        return f"{step.name.partition('#')[0]} runs several times; only its first result is followed."
    if step.kind in (INPUT, "resize", "padding"):
        return "The value is the image's own, which no convolution has seen yet."
    return f"The value is handed on by {step.name}, which is no convolution."


def _has_sum(step: Step) -> bool:
    return step.kind == CONVOLUTION and step.layer is not None and step.first


def _is_followed(step: Step) -> bool:
    return step.kind in FOLLOWED and step.layer is not None and step.first


def _branch(layout: Layout, step: Step, unit: int) -> _Link:
    """The step whose maps the channel of a stack is one of."""
    for place in step.inputs:
        channels = layout.steps[place].out_shape[0]
        if unit < channels:
            return _Link(place, unit)
        unit -= channels
    raise ValueError(f"{step.name} stacks other channels than its inputs have")


def _averages(step: Step) -> bool:
    return step.kind == POOLING and "Max" not in step.type


def _ahead(layout: Layout, link: _Link) -> tuple[_Link, ...]:
    """The normalizations and activations that follow a step and get its values alone."""
    found: list[_Link] = []
    while True:
        after = [place for place, step in enumerate(layout.steps) if link.place in step.inputs]
        step = layout.steps[after[0]] if len(after) == 1 else None
        if step is None or not _is_followed(step) or step.kind == POOLING:
            return tuple(found)
        link = _Link(after[0], link.unit)
        found.append(link)


def _followed(
    layout: Layout, way: _Way, place: tuple[int, int], given: dict[str, Tensor], left: dict[str, Tensor]
) -> tuple[tuple[Stage, ...], tuple[int, int]]:
    """The stages in the network's order, and the position where the way back ends."""
    stages = [_stage(layout.steps[link.place], link.unit, place, left) for link in reversed(way.ahead)]
    for number, link in enumerate(way.back):
        step = layout.steps[link.place]
        window = _window(step, given[step.name][link.unit], place) if step.kind == POOLING else None
        stages.append(_stage(step, link.unit, place, left, chosen=number == 0, window=window))
        place = window.winner if window else place
    return tuple(reversed(stages)), place


def _stage(step: Step, unit: int, place: tuple[int, int], left: dict[str, Tensor], **more: Any) -> Stage:
    value = float(left[step.name][unit][place])
    row, column = place
    return Stage(name=step.name, kind=step.kind, type=step.type, unit=unit, row=row, column=column, value=value, **more)


def _window(step: Step, values: Tensor, place: tuple[int, int]) -> PooledWindow:
    """What a pooling looked at for one position; `values` (H, W) is the map that it gets."""
    rows, columns = (
        [int(tap) for tap in dict.fromkeys(taps_of(step, axis)[place[axis]]) if 0 <= tap < values.shape[axis]]
        for axis in (0, 1)
    )
    held = values.cpu().numpy()[np.ix_(rows, columns)]
    takes = "average" if _averages(step) else "max"
    best = np.abs(held) if takes == "average" else held
    row, column = np.unravel_index(int(best.argmax()), held.shape)
    return PooledWindow(
        values=tuple(tuple(map(float, line)) for line in held),
        rows=tuple(rows),
        columns=tuple(columns),
        takes=takes,
        winner=(rows[int(row)], columns[int(column)]),
    )


def _sum(
    model: nn.Module, layout: Layout, link: _Link, place: tuple[int, int], given: dict[str, Tensor]
) -> ConvolutionSum:
    step = layout.steps[link.place]
    assert step.window is not None
    channels, kernel, bias = _filter(model.get_submodule(step.name), link.unit)
    rows, columns = (taps_of(step, axis)[place[axis]] for axis in (0, 1))
    maps = given[step.name].cpu().numpy()[list(channels)]
    inside = _within(rows, maps.shape[1])[:, None] & _within(columns, maps.shape[2])
    held = maps[:, np.clip(rows, 0, maps.shape[1] - 1)][:, :, np.clip(columns, 0, maps.shape[2] - 1)]
    patch = np.where(inside, held, np.float32(0))
    products = kernel.astype(np.float64) * patch
    return ConvolutionSum(
        layer=step.name,
        unit=link.unit,
        row=place[0],
        column=place[1],
        reads=_reads(layout, step),
        channels=channels,
        top=int(rows[0]),
        left=int(columns[0]),
        dilation=step.window.dilation,
        kernel=kernel,
        patch=patch,
        inside=inside,
        products=products,
        terms=products.sum(axis=(1, 2)),
        bias=bias,
    )


def _within(taps: npt.NDArray[np.int64], side: int) -> npt.NDArray[np.bool_]:
    return (taps >= 0) & (taps < side)


def _reads(layout: Layout, step: Step) -> str:
    place = step.inputs[0]
    source = layout.steps[place]
    return IMAGE if source.kind == INPUT else _names(layout).get(place, source.name)


def _filter(layer: nn.Module, unit: int) -> tuple[tuple[int, ...], npt.NDArray[np.float32], float]:
    """The channels that a filter sees, its weights (n, kh, kw) and its bias."""
    if isinstance(layer, PartialConv2d):
        rows = layer.rows[unit].tolist()
        channels = tuple(channel for channel, row in enumerate(rows) if row < len(layer.weight))
        weights = layer.weight[[rows[channel] for channel in channels]]
        return channels, _numbers(weights), float(layer.bias.detach()[unit])
    assert isinstance(layer, nn.Conv2d)
    count = layer.in_channels // layer.groups
    first = unit // (layer.out_channels // layer.groups) * count
    bias = 0.0 if layer.bias is None else float(layer.bias.detach()[unit])
    return tuple(range(first, first + count)), _numbers(layer.weight[unit]), bias


def _numbers(weights: Tensor) -> npt.NDArray[np.float32]:
    return weights.detach().float().cpu().numpy()

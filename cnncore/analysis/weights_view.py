"""The weights of a network: the filters that see the pixels, and histograms now and before the first step.

Nothing of a run's first weights is kept: they follow from its configuration. They are drawn from its seed again, or
taken again from the backbone or the run that it started from, as `cnncore.training.execute` does it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnncore.analysis.layers import layout_of
from cnncore.analysis.scans import Work
from cnncore.config import TrainConfig
from cnncore.errors import DataError, LabError, lookup
from cnncore.models.recorder import Step, kind_of
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.store import Run, RunStore
from cnncore.runs.stored_config import parse_stored
from cnncore.training.checkpoint import Expected
from cnncore.training.imports import take_backbone, take_over
from cnncore.training.state import new_state
from cnncore.training.trained import TrainedNetwork
from cnncore.transfer.weights import find_weights

NUM_BINS = 60
CHUNK = 1 << 22
"""Weights that are counted at once: some hundredths of a second."""
UNCHANGED = frozenset({"resize", "padding"})
"""What leaves pixels pixels."""

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Filters:
    """The filters of a convolution that sees the pixels themselves.

    Attributes:
        layer: Its name.
        filters: Its weights, float32 (n, kh, kw, C).
        choices: All such convolutions, in order.
    """

    layer: str
    filters: Values
    choices: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TensorHistogram:
    """The weights of one tensor, counted.

    Attributes:
        name: As in `named_parameters`.
        kind: What the layer is, as `LayerProfile.kind`.
        shape: Of the tensor.
        mean: Of the weights now.
        std: Their standard deviation.
        changed: Length of the way from the first weights (L2), as a multiple of their own length; None where that is 0
            or they are not known.
        edges: Of the bins, one more than there are.
        now: Weights in each bin.
        before: Those of before the first step in the same bins; None where they are not known.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    mean: float
    std: float
    changed: float | None
    edges: tuple[float, ...]
    now: tuple[int, ...]
    before: tuple[int, ...] | None


@dataclass(frozen=True, kw_only=True)
class Histograms:
    """The weights of a network, tensor by tensor.

    Attributes:
        tensors: In the network's order.
        note: Why nothing is known of before; empty if it is known.
    """

    tensors: tuple[TensorHistogram, ...]
    note: str


def first_filters(network: TrainedNetwork, layer: str = "") -> Filters:
    """The filters of a convolution that sees the pixels themselves.

    Args:
        network: Whose it is.
        layer: Its name; the first one if not given.

    Raises:
        ConfigError: if there is no such layer, or it sees maps of others.
        DataError: if the network has no convolution.
    """
    steps = layout_of(network).steps
    found = {step.name: step for step in steps if step.kind == "convolution" and _sees_pixels(steps, step)}
    if not found:
        raise DataError("No convolution of this network sees the pixels themselves.", "Choose another network.")
    name = layer or next(iter(found))
    lookup(found, name, "convolution that sees the pixels", "layer")
    weights = network.model.get_submodule(name).get_parameter("weight").detach()
    return Filters(layer=name, filters=weights.permute(0, 2, 3, 1).float().cpu().numpy(), choices=tuple(found))


def _sees_pixels(steps: tuple[Step, ...], step: Step) -> bool:
    source = steps[step.inputs[0]]
    while source.kind in UNCHANGED:
        source = steps[source.inputs[0]]
    return not source.inputs


@dataclass(frozen=True, eq=False, kw_only=True)
class Start:
    """The weights of a run before its first step, by name; none where they are not known, and why (`note`)."""

    weights: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    note: str = ""


def no_start(kind: str) -> Start:
    """That of a network which is none of a run, by the kind of `cnncore.runs.subjects`."""
    if kind == "untrained":
        return Start(note="These are first weights themselves: the network was never trained.")
    return Start(note="The first weights of a pretrained network are not published with it.")


def start_of(network: TrainedNetwork, run: Run, store: RunStore, artifacts: Path, data_root: Path) -> Start:
    """The weights of a run's network as they were before its first step, found again.

    Args:
        network: The run's.
        run: The run.
        store: Where the run is, which knows when it began.
        artifacts: Folder with one folder a run.
        data_root: The data folder; nothing is downloaded.
    """
    if run.kind == "import":
        return Start(note="The weights were imported; what they began as is not in the file.")
    config = parse_stored(TrainConfig, network.card["config"], f"the weights of run {run.id}")
    source, backbone = config.training.start_from, config.transfer.backbone
    if backbone is not None and find_weights(backbone, data_root) is None:
        return Start(note=f"The weights of the backbone {backbone}, which it began with, are not on this machine.")
    if source is not None and backbone is None and not _is_as_it_was(run_dir(artifacts, source), run, store):
        return Start(note=f"The run {source}, whose weights it began with, is gone or was trained on since then.")
    made = network.preprocessing
    images = Expected(
        classes=network.classes,
        in_shape=(made.channels, made.size, made.size),
        mean=tuple(made.mean),
        std=tuple(made.std),
    )
    state = new_state(config, images.in_shape, len(images.classes), device=torch.device("cpu"), precision="fp32")
    try:
        if backbone is not None:
            take_backbone(state, data_root, images, lambda what, done, total: None)
        elif source is not None:
            take_over(state, run_dir(artifacts, source), images)
    except LabError as problem:
        return Start(note=f"What it began with cannot be read any more: {problem.message}")
    return Start(weights=dict(state.model.named_parameters()))


def _is_as_it_was(folder: Path, run: Run, store: RunStore) -> bool:
    """Whether the weights in `folder` are those that the run found there."""
    rows = store.since(run.id, limit=1).rows
    file = folder / WEIGHTS
    return file.is_file() and bool(rows) and file.stat().st_mtime <= rows[0].time


def weight_histograms(network: TrainedNetwork, start: Callable[[], Start]) -> Work[Histograms]:
    """The weights of a network, counted now and before its first step.

    Args:
        network: Whose they are.
        start: Finds the first weights; called once, as a step of its own.

    Raises:
        DataError: if one of them is no number.
    """
    named = list(network.model.named_parameters())
    total = sum(value.numel() for _, value in named)
    yield 0, total
    first = start()
    done, found = 0, list[TensorHistogram]()
    layers = dict(network.model.named_modules())
    for name, value in named:
        kind = kind_of(layers[name.rpartition(".")[0]])
        counting = _counted(name, kind, value.detach().float().cpu().flatten(), first.weights.get(name))
        while True:
            try:
                yield done + next(counting), total
            except StopIteration as counted:
                found.append(dataclasses.replace(counted.value, shape=tuple(value.shape)))
                break
        done += value.numel()
    return Histograms(tensors=tuple(found), note=first.note)


def _counted(name: str, kind: str, now: Tensor, start: Tensor | None) -> Generator[int, None, TensorHistogram]:
    """The histogram of a tensor, chunk by chunk; yields how many of its weights are counted."""
    before = None if start is None else start.detach().float().flatten()
    both = [now] if before is None else [now, before]
    low, high = min(float(each.min()) for each in both), max(float(each.max()) for each in both)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise DataError(f"The weights {name} hold values that are no numbers.", "Train the network anew.")
    edges = np.histogram_bin_edges(np.empty(0), NUM_BINS, (low, high))
    counts = np.zeros((2, NUM_BINS), dtype=np.int64)
    moved = length = 0.0
    for begin in range(0, len(now), CHUNK):
        chunks = [each[begin : begin + CHUNK] for each in both]
        for row, chunk in enumerate(chunks):
            counts[row] += torch.histc(chunk, NUM_BINS, float(edges[0]), float(edges[-1])).long().numpy()
        if before is not None:
            moved += float((chunks[0].double() - chunks[1]).square().sum())
            length += float(chunks[1].double().square().sum())
        yield min(begin + CHUNK, len(now))
    return TensorHistogram(
        name=name,
        kind=kind,
        shape=(),
        mean=float(now.mean()),
        std=float(now.std(unbiased=False)),
        changed=math.sqrt(moved / length) if length else None,
        edges=tuple(edges.tolist()),
        now=tuple(counts[0].tolist()),
        before=None if before is None else tuple(counts[1].tolist()),
    )

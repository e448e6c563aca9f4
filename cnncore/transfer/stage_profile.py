"""Counts what the stages of a network cost, and measures how long each takes on this machine.

`python -m cnncore.transfer.stage_profile` writes the counts of the backbones' networks to the file that
`cnncore.transfer.costs` reads; run it after a change to one of them.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import prod
from pathlib import Path

import torch
from torch import nn

from cnncore.catalog import BACKBONES, head_of, stages_of
from cnncore.config import ModelConfig, TrainConfig, TransferConfig
from cnncore.models.profile import LayerProfile, profile_model
from cnncore.transfer.costs import COSTS_FILE, HEAD, NetworkCosts, StageCost, new_head
from cnncore.transfer.network import build_network, network_config, stage_modules

MEASURED_BATCH, MEASURED_BATCH_GPU = 4, 32
"""Images at once: a GPU is not busy with fewer."""
MEASURED_PASSES = 3
LONGEST_S = 2.0
"""After so many seconds no further pass begins; a first one, in which kernels are chosen, never counts."""


def count_stages(
    config: TrainConfig, in_shape: tuple[int, int, int], num_classes: int, precision: str = ""
) -> NetworkCosts:
    """What the stages of a network and its head cost.

    Args:
        config: The network and its head.
        in_shape: Channels, height and width of the images.
        num_classes: Number of classes.
        precision: What is noted in the result.

    Raises:
        ConfigError: if `build_model` would refuse the network.
    """
    network, transfer = config.model.name, config.transfer
    parts: dict[str, list[LayerProfile]] = {stage.key: [] for stage in stages_of(network)} | {HEAD: []}
    for key, layer in _placed(network, profile_model(network_config(config), in_shape, num_classes).layers):
        parts[key].append(layer)
    own = parts.pop(HEAD)
    head = _sum(HEAD, own)
    if transfer.head != "network":
        first = next(layer for layer in own if layer.weights)
        head = new_head(transfer, first.in_shape[0], num_classes)
    stages = tuple(_sum(key, layers) for key, layers in parts.items())
    return NetworkCosts(stages=stages, head=head, precision=precision)


def _placed(network: str, layers: tuple[LayerProfile, ...]) -> Iterator[tuple[str, LayerProfile]]:
    """Each layer and its stage; one without weights belongs to the stage before it, as `stage_modules` has it."""
    stages, head = stages_of(network), head_of(network)
    current = stages[0].key
    for layer in layers:
        top = layer.name.partition(".")[0]
        if top == head or top.startswith("aux"):
            current = HEAD if top == head else current
            yield HEAD, layer
            continue
        if current != HEAD:
            current = next((stage.key for stage in stages if stage.holds(layer.name)), current)
        yield current, layer


def _sum(key: str, layers: list[LayerProfile]) -> StageCost:
    return StageCost(
        key=key,
        num_params=sum(layer.num_params for layer in layers),
        norm_statistics=sum(layer.norm_statistics for layer in layers),
        macs=sum(layer.macs for layer in layers),
        activations=sum(layer.activations for layer in layers),
        indices=sum(layer.indices for layer in layers),
        widest=max((prod(layer.in_shape) + prod(layer.out_shape) for layer in layers if layer.in_shape), default=0),
    )


def measure_stages(
    costs: NetworkCosts,
    config: TrainConfig,
    in_shape: tuple[int, int, int],
    num_classes: int,
    *,
    device: torch.device,
    threads: int,
) -> NetworkCosts:
    """`costs` with the seconds that an image takes through each stage: the median of a few batches, forward only.

    On a GPU, where stages run while the program is ahead of them, the whole time is divided by operations.

    Args:
        costs: Of the same network; in their precision it is measured.
        config: The network and its head.
        in_shape: Channels, height and width of the images.
        num_classes: Number of classes.
        device: Where to compute.
        threads: Threads of a CPU, as many as a training has.
    """
    batch = MEASURED_BATCH if device.type == "cpu" else MEASURED_BATCH_GPU
    model = build_network(config, in_shape, num_classes).eval().to(device).to(memory_format=torch.channels_last)
    images = torch.randn(batch, *in_shape, device=device).to(memory_format=torch.channels_last)
    with torch.inference_mode(), _autocast(device, costs.precision), _threads(threads):
        model(images)
        passes = list(_passes(model, config.model.name, images))
    seconds = {key: statistics.median(each[key] for each in passes) / batch for key in passes[0]}
    if device.type != "cpu":
        whole, macs = sum(seconds.values()), sum(part.macs for part in costs.parts)
        seconds = {part.key: whole * part.macs / macs for part in costs.parts}
    stages = tuple(dataclasses.replace(stage, seconds=seconds[stage.key]) for stage in costs.stages)
    head = dataclasses.replace(costs.head, seconds=seconds[HEAD])
    return dataclasses.replace(costs, stages=stages, head=head)


def _autocast(device: torch.device, precision: str) -> torch.autocast:
    dtype = torch.bfloat16 if precision == "bf16" else torch.float16
    return torch.autocast(device.type, dtype, enabled=precision != "fp32")


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _passes(model: nn.Module, network: str, images: torch.Tensor) -> Iterator[Mapping[str, float]]:
    begun, count = time.perf_counter(), 0
    while not count or (count < MEASURED_PASSES and time.perf_counter() - begun < LONGEST_S):
        yield _times(model, network, images)
        count += 1


def _times(model: nn.Module, network: str, images: torch.Tensor) -> Mapping[str, float]:
    """Seconds that a batch spends in each part: from its first layer to the first one of the next part."""
    spent = dict.fromkeys(stage_modules(model, network), 0.0)
    current, since = next(iter(spent)), 0.0

    def enter(key: str, _module: nn.Module, _inputs: object) -> None:
        nonlocal current, since
        if key != current:
            now = time.perf_counter()
            spent[current] += now - since
            current, since = key, now

    handles = [
        module.register_forward_pre_hook(partial(enter, key))
        for key, modules in stage_modules(model, network).items()
        for module in modules
    ]
    since = time.perf_counter()
    model(images)
    if images.device.type != "cpu":
        torch.accelerator.synchronize(images.device)
    spent[current] += time.perf_counter() - since
    for handle in handles:
        handle.remove()
    return spent


def backbone_costs() -> dict[str, tuple[StageCost, ...]]:
    """The stages of the backbones' networks, at the sizes that their weights are made for."""
    sizes = {spec.network: spec.image_size for spec in BACKBONES.values()}
    linear = TransferConfig(head="linear")
    runs = {network: TrainConfig(model=ModelConfig(name=network), transfer=linear) for network in sizes}
    return {network: count_stages(runs[network], (3, size, size), 2).stages for network, size in sizes.items()}


def write_backbone_costs(path: Path = COSTS_FILE) -> None:
    """Writes them as JSON, one network a line, without what has its usual value."""
    usual = dataclasses.asdict(StageCost(key=""))
    lines: list[str] = []
    for network, stages in backbone_costs().items():
        rows = [{n: v for n, v in dataclasses.asdict(stage).items() if v != usual[n]} for stage in stages]
        lines.append(f"{json.dumps(network)}: {json.dumps(rows, separators=(',', ':'))}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write_backbone_costs()

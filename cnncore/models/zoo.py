"""Counts every network in its published form, on the meta device.

`python -m cnncore.models.zoo` writes the file that `cnncore.catalog.zoo` reads; run it after a change to a network.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import torch
from torch import nn

from cnncore.catalog import DATASETS, MODELS, DatasetSpec
from cnncore.catalog.zoo import AUXILIARY, ZOO_FILE, Cost, Summary
from cnncore.config import ModelConfig
from cnncore.errors import ConfigError, lookup
from cnncore.models import build_model
from cnncore.models.profile import LayerProfile, profile_model


def summarize(key: str) -> Summary:
    """The costs of the network `key`.

    Raises:
        ConfigError: if there is no such network.
    """
    spec, config = lookup(MODELS, key, "network", "model.name"), ModelConfig(name=key)
    in_shape = (spec.in_channels, spec.native_size, spec.native_size)
    layers = profile_model(config, in_shape, spec.num_classes).layers
    inference = _inference_layers(config, in_shape, spec.num_classes)
    main = [layer for layer in layers if layer.name in inference]
    aux = [layer for layer in layers if layer.name not in inference]
    fields = [layer.receptive_field for layer in main if layer.kind == "convolution"]
    return Summary(
        in_shape=in_shape,
        num_classes=spec.num_classes,
        weights=sum(layer.weights for layer in layers),
        biases=sum(layer.biases for layer in layers),
        norm_statistics=sum(layer.norm_statistics for layer in layers),
        aux_params=sum(layer.num_params for layer in aux),
        macs=sum(layer.macs for layer in main),
        aux_macs=sum(layer.macs for layer in aux),
        activations=sum(layer.activations for layer in layers),
        indices=sum(layer.indices for layer in layers),
        receptive_field=max((field for field in fields if field), default=None),
        costs=_costs(main, aux),
        dataset_macs=_dataset_macs(config),
    )


def _inference_layers(config: ModelConfig, in_shape: tuple[int, int, int], num_classes: int) -> set[str]:
    """Names of the layers that run when nothing is trained."""
    ran: set[str] = set()

    def note(name: str, *_: object) -> None:
        ran.add(name)

    with torch.device("meta"):
        model = build_model(config, in_shape, num_classes).eval()
        for name, layer in model.named_modules():
            if next(layer.children(), None) is None and not isinstance(layer, nn.Identity):
                layer.register_forward_hook(partial(note, name))
        with torch.no_grad():
            model(torch.empty(1, *in_shape))
    return ran


def _costs(main: Iterable[LayerProfile], aux: Iterable[LayerProfile]) -> tuple[Cost, ...]:
    """The layers that have parameters or MACs, summed by stage and kind."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for layer, kind in [*((layer, layer.kind) for layer in main), *((layer, AUXILIARY) for layer in aux)]:
        place = (layer.name.partition(".")[0], kind)
        num_params, macs = sums.get(place, (0, 0))
        sums[place] = (num_params + layer.num_params, macs + layer.macs)
    return tuple(
        Cost(stage=stage, kind=kind, num_params=num_params, macs=macs)
        for (stage, kind), (num_params, macs) in sums.items()
        if num_params or macs
    )


def _dataset_macs(config: ModelConfig) -> dict[str, int]:
    """MACs of inference on each data set whose images have a fixed size that is not too small."""
    known: dict[tuple[tuple[int, int, int], int], int | None] = {}
    for spec in DATASETS.values():
        if all(spec.in_shape) and _form(spec) not in known:
            known[_form(spec)] = _macs(config, *_form(spec))
    found = {key: known.get(_form(spec)) for key, spec in DATASETS.items()}
    return {key: macs for key, macs in found.items() if macs is not None}


def _form(spec: DatasetSpec) -> tuple[tuple[int, int, int], int]:
    return spec.in_shape, len(spec.classes) or 100


def _macs(config: ModelConfig, in_shape: tuple[int, int, int], num_classes: int) -> int | None:
    try:
        inference = _inference_layers(config, in_shape, num_classes)
    except ConfigError:
        return None
    layers = profile_model(config, in_shape, num_classes).layers
    return sum(layer.macs for layer in layers if layer.name in inference)


def write_zoo(path: Path = ZOO_FILE) -> None:
    """Writes the summaries of all networks as JSON, one network a line."""
    lines = [f"{json.dumps(key)}: {json.dumps(summarize(key).to_dict(), separators=(',', ':'))}" for key in MODELS]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write_zoo()

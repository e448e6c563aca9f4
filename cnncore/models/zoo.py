"""Counts every network in its published form, on the meta device.

`python -m cnncore.models.zoo` writes the file that `cnncore.catalog.zoo` reads; run it after a change to a network.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from cnncore.catalog import DATASETS, MODELS
from cnncore.catalog.zoo import AUXILIARY, ZOO_FILE, Cost, Summary
from cnncore.config import ModelConfig
from cnncore.errors import ConfigError, lookup
from cnncore.models.profile import LayerProfile, profile_model

Form = tuple[tuple[int, int, int], int]
"""Shape of an image (channels, height, width) and number of classes."""


def summarize(key: str) -> Summary:
    """The costs of the network `key`.

    Raises:
        ConfigError: if there is no such network.
    """
    spec, config = lookup(MODELS, key, "network", "model.name"), ModelConfig(name=key)
    native: Form = ((spec.in_channels, spec.native_size, spec.native_size), spec.num_classes)
    main, aux = _layers(config, native)
    layers = [*main, *aux]
    fields = [layer.receptive_field for layer in main if layer.kind == "convolution" and layer.receptive_field]
    macs = _macs(main)
    return Summary(
        in_shape=native[0],
        num_classes=spec.num_classes,
        weights=sum(layer.weights for layer in layers),
        biases=sum(layer.biases for layer in layers),
        norm_statistics=sum(layer.norm_statistics for layer in layers),
        aux_params=sum(layer.num_params for layer in aux),
        macs=macs,
        aux_macs=_macs(aux),
        activations=sum(layer.activations for layer in layers),
        indices=sum(layer.indices for layer in layers),
        receptive_field=max(fields, default=None),
        costs=_costs(main, aux),
        dataset_macs=_dataset_macs(config, {native: macs}),
    )


def _layers(config: ModelConfig, form: Form) -> tuple[list[LayerProfile], list[LayerProfile]]:
    """The layers that run at inference, and those of auxiliary heads."""
    layers = profile_model(config, *form).layers
    if not MODELS[config.name].aux_weight:
        return list(layers), []
    inference = profile_model(config, *form, training=False).layers
    # What does not run then has no shape.
    heads = {layer.name for layer in inference if not layer.in_shape}
    return (
        [layer for layer in layers if layer.name not in heads],
        [layer for layer in layers if layer.name in heads],
    )


def _macs(layers: Iterable[LayerProfile]) -> int:
    return sum(layer.macs for layer in layers)


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


def _dataset_macs(config: ModelConfig, known: Mapping[Form, int | None]) -> dict[str, int]:
    """MACs of inference on each data set whose images have a fixed size that is not too small.

    Args:
        config: The network.
        known: What has been counted already.
    """
    counted = dict(known)
    forms = {key: (spec.in_shape, len(spec.classes) or 100) for key, spec in DATASETS.items() if all(spec.in_shape)}
    for form in forms.values():
        if form not in counted:
            try:
                counted[form] = _macs(_layers(config, form)[0])
            except ConfigError:
                counted[form] = None
    found = {key: counted[form] for key, form in forms.items()}
    return {key: macs for key, macs in found.items() if macs is not None}


def write_zoo(path: Path = ZOO_FILE) -> None:
    """Writes the summaries of all networks as JSON, one network a line, with one process a core."""
    # Forked processes would inherit torch's threads in an unknown state.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        summaries = zip(MODELS, pool.map(summarize, MODELS), strict=True)
        lines = [f"{json.dumps(key)}: {json.dumps(each.to_dict(), separators=(',', ':'))}" for key, each in summaries]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write_zoo()

"""The profiles that ship with the lab, so that a preset's size card needs no torch.

`python -m cnncore.models.profile` writes the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cnncore.catalog.models import MODELS
from cnncore.errors import lookup

PROFILES_FILE = Path(__file__).with_name("profiles.json")
BYTES_PER_VALUE = {"fp32": 4, "bf16": 2, "fp16": 2}
"""What a value that is kept for the backward pass takes, by precision."""


def profile_key(model_settings: Mapping[str, Any], in_shape: tuple[int, int, int], num_classes: int) -> str:
    """One text for all settings that cost the same.

    What was left to the network's source counts as set to it; the initialization, which costs nothing, is left out.

    Args:
        model_settings: The fields of `cnncore.config.ModelConfig`; missing ones count as `None`.
        in_shape: Channels, height and width of the images.
        num_classes: Number of classes.

    Raises:
        ConfigError: if there is no such network.
    """
    name = str(model_settings.get("name"))
    spec = lookup(MODELS, name, "network", "model.name")
    values: dict[str, Any] = {**spec.defaults, "width": 1.0, "input_size": None}
    values |= {key: value for key, value in model_settings.items() if key in values and value is not None}
    del values["init"]
    options = " ".join(f"{key}={_text(value)}" for key, value in sorted(values.items()) if value is not None)
    return f"{name} {options} {'x'.join(map(str, in_shape))} {num_classes}"


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


USUAL: dict[str, Any] = {
    "kernel": None,
    "stride": None,
    "padding": None,
    "groups": 1,
    "weights": 0,
    "biases": 0,
    "norm_statistics": 0,
    "macs": 0,
    "activations": 0,
    "indices": 0,
    "receptive_field": None,
    "jump": None,
    "start": None,
}
"""What most layers have; files leave it out."""


def derived(layer: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from the facts of a layer.

    Returns:
        `num_params` (trainable numbers), `flops` (two per MAC), `stage` (top-level part of its name) and `block` (the
        two top-level parts of the name of a layer that lies deeper, else the stage).
    """
    parts = str(layer["name"]).split(".")
    modules = parts[:-1] or parts
    return {
        "num_params": layer["weights"] + layer["biases"],
        "flops": 2 * layer["macs"],
        "stage": modules[0],
        "block": ".".join(modules[:2]),
    }


def compact(layer: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a layer without those that are usual or follow from the others, for files and the wire."""
    follows = ("num_params", "flops", "stage", "block")
    return {
        name: value
        for name, value in layer.items()
        if name not in follows and (name not in USUAL or value != USUAL[name])
    }


def complete(layer: Mapping[str, Any]) -> dict[str, Any]:
    """What `compact` left out, and all that follows."""
    facts = {**USUAL, **layer}
    return {**facts, **derived(facts)}


def totals(layers: Iterable[Mapping[str, Any]], by: str) -> dict[str, dict[str, int]]:
    """Sums over the layers of each `stage`, `block` or `kind`, in the order in which they run.

    Returns:
        `num_params`, `norm_statistics`, `macs`, `flops`, `activations` and `indices` by the value of `by`.
    """
    names = ("num_params", "norm_statistics", "macs", "flops", "activations", "indices")
    sums: dict[str, dict[str, int]] = {}
    for layer in layers:
        group = sums.setdefault(layer[by], dict.fromkeys(names, 0))
        for name in names:
            group[name] += layer[name]
    return sums


@cache
def _profiles() -> dict[str, dict[str, Any]]:
    return json.loads(PROFILES_FILE.read_text(encoding="utf-8"))


def shipped_profile(key: str) -> dict[str, Any] | None:
    """The profile under `key`, as `cnncore.models.profile.Profile.to_dict` has it, or `None`. Not to be changed."""
    profile = _profiles().get(key)
    return profile and {**profile, "layers": [complete(layer) for layer in profile["layers"]]}

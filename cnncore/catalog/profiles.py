"""The profiles that ship with the lab, so that a preset's size card needs no torch.

`python -m cnncore.models.profile` writes the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cnncore.catalog.models import MODELS
from cnncore.errors import lookup

PROFILES_FILE = Path(__file__).with_name("profiles.json")


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


@cache
def _profiles() -> dict[str, dict[str, Any]]:
    return json.loads(PROFILES_FILE.read_text(encoding="utf-8"))


def shipped_profile(key: str) -> dict[str, Any] | None:
    """The profile under `key`, as `cnncore.models.profile.Profile.to_dict` has it, or `None`. Not to be changed."""
    return _profiles().get(key)

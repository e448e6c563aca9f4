"""Files of a run's state: `resume.pt` to go on exactly, `model.safetensors` with a readable card to use the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from cnncore.config import DataConfig, TrainConfig
from cnncore.data import ImageData
from cnncore.errors import RunError
from cnncore.images.preprocessing import Preprocessing
from cnncore.runs.artifacts import RESUME, WEIGHTS, WEIGHTS_CARD, write_atomically
from cnncore.runs.stored_config import parse_stored
from cnncore.runs.weights_card import read_card
from cnncore.training.state import FORMAT, TrainState
from cnncore.transfer.network import build_network

_HINT = "Choose another run, or train it again."


def save_checkpoint(folder: Path, state: TrainState, fingerprint: str) -> int:
    """Write `resume.pt`; returns its size in bytes. `fingerprint` is that of the images."""
    values = state.to_dict() | {"fingerprint": fingerprint}
    return write_atomically(folder / RESUME, lambda path: torch.save(values, path))


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """What `save_checkpoint` wrote; None where there is none.

    Raises:
        RunError: if the file is damaged or from another version.
    """
    path = folder / RESUME
    if not path.is_file():
        return None
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds, from pickle's to zipfile's
        raise RunError(f"The checkpoint {path.name} is damaged: {error}.", "Run it again from the start.") from error
    if values.get("format") != FORMAT:
        raise RunError(
            f"The checkpoint has format {values.get('format')}, this version reads {FORMAT}.",
            "Run it again from the start.",
        )
    return values


def save_weights(folder: Path, weights: Mapping[str, Tensor], card: Mapping[str, Any]) -> int:
    """Write `model.safetensors` and the card beside it; returns the size of the weights in bytes."""
    # safetensors wants plain memory layout, channels-last tensors have another one.
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in weights.items()}
    size = write_atomically(folder / WEIGHTS, lambda path: save_file(plain, path))
    text = json.dumps(card, indent=2, ensure_ascii=False)
    write_atomically(folder / WEIGHTS_CARD, lambda path: path.write_text(text, encoding="utf-8"))
    return size


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What weights from elsewhere expect: the facts of `ImageData` that a card needs, without images."""

    classes: tuple[str, ...]
    in_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fingerprint: str = ""


def weights_card(config: TrainConfig, data: ImageData | Expected, **results: Any) -> dict[str, Any]:
    """What is needed to use the weights: network, classes and preprocessing, with how they came about."""
    return {
        "model": config.model.model_dump(),
        "classes": list(data.classes),
        "in_shape": list(data.in_shape),
        "preprocessing": {
            "value_range": [0, 1],
            "size": data.in_shape[1],
            "crop": config.data.crop,
            "interpolation": config.data.interpolation,
            "channels": data.in_shape[0],
            "mean": list(data.mean),
            "std": list(data.std),
            "layout": "NCHW",
        },
        "images": data.fingerprint,
        "config": config.model_dump(mode="json"),
        **results,
    }


def card_preprocessing(card: Mapping[str, Any]) -> Preprocessing:
    """What a picture goes through before the network that a card describes gets it.

    Cards of earlier versions do not say how a picture is resized; their configuration does.
    """
    data = DataConfig.model_validate(card["config"]["data"])
    asked = {
        "size": card["in_shape"][1],
        "crop": data.crop,
        "interpolation": data.interpolation,
        "channels": card["in_shape"][0],
    }
    return Preprocessing.from_dict(asked | card["preprocessing"])


def load_model(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The trained network of a run, in evaluation mode on the CPU, and its card.

    Raises:
        RunError: if the run has no weights yet, they are gone or damaged, or of another version of the lab.
    """
    card = read_card(folder)
    if not (folder / WEIGHTS).is_file():
        raise RunError("The run has no trained weights yet.", "Wait for its first epoch to end.")
    config = parse_stored(TrainConfig, card["config"], f"the weights of run {folder.name}")
    try:
        weights = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError):
        raise RunError(f"The weights of run {folder.name} are damaged or gone.", _HINT) from None
    try:
        model = build_network(config, tuple(card["in_shape"]), len(card["classes"]))
        model.load_state_dict(weights)
    except (RuntimeError, MemoryError):  # torch's word for what does not fit
        raise RunError(f"The weights of run {folder.name} do not fit the card beside them.", _HINT) from None
    return model.eval(), card

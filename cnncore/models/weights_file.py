"""Files of weights, read without running anything that is in them.

A file is a safetensors file or what `torch.save` wrote of a state_dict; its content decides, not its name.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from cnncore.errors import WeightsError

MAX_FILE_BYTES = 2 << 30
MAX_TENSORS = 20_000
_MAX_RATIO = 2
"""Largest ratio of what an archive unpacks to and its size; torch does not compress."""
_MAX_PARTS = 2 * MAX_TENSORS
_DICTIONARIES = ("state_dict", "model_state_dict", "model", "net", "model_state", "network", "weights", "params")
"""Where checkpoints keep the state_dict, beside the optimizer's and the like."""
_SAVE_RIGHT = "Save `model.state_dict()` instead, best with safetensors."


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """What a file holds.

    Attributes:
        label: How a person calls the file.
        tensors: Its tensors by name.
        ordered: Whether they are in the order of the layers; safetensors sorts them by name.
        notes: What was noticed, one sentence each.
    """

    label: str
    tensors: Mapping[str, Tensor]
    ordered: bool
    notes: tuple[str, ...] = ()


def read_weights(path: Path, label: str = "") -> WeightsFile:
    """The tensors of a file of weights.

    Args:
        path: The file.
        label: How a person calls it; its name by default.

    Raises:
        WeightsError: if it is too large, damaged, or holds anything but tensors.
    """
    label = label or path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as problem:
        raise WeightsError(f"{label} cannot be read: {problem.strerror or problem}.", "Give a file.") from None
    if size > MAX_FILE_BYTES:
        raise WeightsError(f"{label} has {size >> 20:,} MiB; at most {MAX_FILE_BYTES >> 20:,} MiB are read.")
    if head[8:9] == b"{":
        return _checked(label, _read_safetensors(path, label), ordered=False)
    found = _read_torch(path, label, zipped=head.startswith(b"PK"))
    return _checked(label, *_state_dict(found, label), ordered=True)


def _read_safetensors(path: Path, label: str) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as problem:
        raise _damaged(label, problem) from None


def _damaged(label: str, problem: BaseException) -> WeightsError:
    words = (str(problem).strip().splitlines() or [type(problem).__name__])[0][:120].rstrip(".")
    return WeightsError(
        f"{label} is damaged, or no file of weights ({words}).", "Take a .safetensors file, or a .pth of torch.save."
    )


def _read_torch(path: Path, label: str, *, zipped: bool) -> object:
    if zipped:
        _refuse_bombs(path, label)
    try:
        # Opened here: given a path, torch looks at the ending of its name.
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as problem:
        match = re.search(r"GLOBAL ([\w.]+)", str(problem))
        if match is None and "weights_only" not in str(problem) and "Unsupported" not in str(problem):
            raise _damaged(label, problem) from None
        held = f" ({match[1]})" if match else ""
        raise WeightsError(
            f"{label} holds Python objects{held}, not only tensors; to read them would run code of whoever made it.",
            _SAVE_RIGHT,
        ) from None
    except Exception as problem:  # torch raises many kinds, from zipfile's to its own
        if "TorchScript" in str(problem):
            raise WeightsError(f"{label} is a TorchScript program, not a file of weights.", _SAVE_RIGHT) from None
        raise _damaged(label, problem) from None


def _refuse_bombs(path: Path, label: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    # zipfile raises NotImplementedError for versions of the format that it cannot read.
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
        raise _damaged(label, problem) from None
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _MAX_RATIO * path.stat().st_size or len(entries) > _MAX_PARTS:
        raise WeightsError(
            f"{label} unpacks to {unpacked >> 20:,} MiB in {len(entries):,} parts, which no file of weights does.",
            _SAVE_RIGHT,
        )


def _state_dict(found: object, label: str) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors of a state_dict, also of one inside a checkpoint, and what lay beside them."""
    inside = ""
    if isinstance(found, Mapping) and not _has_tensors(found):
        table = cast("Mapping[Any, Any]", found)
        inside = next((name for name in _DICTIONARIES if _has_tensors(table.get(name))), "")
        found = table.get(inside)
    if not isinstance(found, Mapping) or not _has_tensors(found):
        kind = type(found).__name__ if found is not None else "dictionary without tensors"
        raise WeightsError(f"{label} holds no state_dict, but a {kind}.", _SAVE_RIGHT)
    table = cast("Mapping[Any, Any]", found)
    tensors = {str(name): value for name, value in table.items() if isinstance(value, Tensor)}
    notes = [f'Taken from "{inside}" in the checkpoint.'] if inside else []
    if others := [str(name) for name in table if not isinstance(table[name], Tensor)]:
        notes.append(f"Left out, since they are no tensors: {listed(others)}.")
    return tensors, tuple(notes)


def _has_tensors(found: object) -> bool:
    return isinstance(found, Mapping) and any(isinstance(value, Tensor) for value in found.values())


def _checked(label: str, tensors: Mapping[str, Tensor], notes: tuple[str, ...] = (), *, ordered: bool) -> WeightsFile:
    if not tensors:
        raise WeightsError(f"{label} holds no tensors.", _SAVE_RIGHT)
    if len(tensors) > MAX_TENSORS:
        raise WeightsError(f"{label} holds {len(tensors):,} tensors; at most {MAX_TENSORS:,} are read.")
    for name, value in tensors.items():
        if value.layout != torch.strided or value.is_quantized or value.is_complex() or value.device.type != "cpu":
            raise WeightsError(f"{shortened(name)} in {label} is no plain tensor of real numbers.", _SAVE_RIGHT)
    return WeightsFile(label=label, tensors=tensors, ordered=ordered, notes=notes)


def shortened(name: str) -> str:
    """A name from outside on one line, cut where it is too long to be shown."""
    name = "".join(each if each.isprintable() else " " for each in name[:81])
    return name if len(name) <= 80 else f"{name[:77]}..."


def listed(names: Iterable[str], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    shown = [shortened(name) for name in names]
    more = f" and {len(shown) - most:,} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more

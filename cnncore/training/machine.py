"""What this machine is and has: for the home page, bug reports and the record of a benchmark."""

from __future__ import annotations

import dataclasses
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import torch

from cnncore.catalog import DATASETS, DatasetSpec, at_hand
from cnncore.catalog.presence import CACHE_SUFFIX, cache_dir, find_file, folders, mnist5k_file
from cnncore.training.devices import cpu_name, devices, num_cores, pick_device, pick_precision, unusable_gpu


def machine_facts(data_root: Path) -> dict[str, Any]:
    """Facts that JSON can hold; sizes are in bytes.

    Args:
        data_root: Folder of the data sets, which are looked for but not opened.

    Returns:
        `os`, `cpu`, `cores`, `memory` and `disk` (each `total`, `free`; the disk is the one of the data sets),
        `versions`, `devices`, `device` and `precision` (what `auto` means here), `unusable_gpu` (why, or None),
        `datasets` (bytes on disk by key of those at hand).
    """
    memory, disk = psutil.virtual_memory(), shutil.disk_usage(_existing(data_root))
    device = pick_device("auto")
    return {
        "os": f"{platform.system()} {platform.release()}",
        "cpu": cpu_name(),
        "cores": num_cores(),
        "memory": {"total": memory.total, "free": memory.available},
        "disk": {"total": disk.total, "free": disk.free},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "streamlit": metadata.version("streamlit"),
        },
        "devices": [dataclasses.asdict(found) for found in devices()],
        "device": str(device),
        "precision": pick_precision("auto", device),
        "unusable_gpu": unusable_gpu(),
        "datasets": {
            key: _bytes_on_disk(key, spec, data_root)
            for key, spec in DATASETS.items()
            if spec.num_train and at_hand(key, data_root)
        },
    }


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists: the data folder is made by the first download."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _bytes_on_disk(key: str, spec: DatasetSpec, root: Path) -> int:
    """What a data set takes: its files as offered, what they unpack to, and its decoded copies."""
    archives = [find_file(file.name, (*folders(spec, root), root)) for file in spec.files]
    members = [root / spec.folder / name for name in spec.members]
    built_in = [mnist5k_file()] if spec.built_in else []
    copies = cache_dir(root).glob(f"{key}-*{CACHE_SUFFIX}")
    return sum(file.stat().st_size for file in (*archives, *members, *built_in, *copies) if file and file.is_file())

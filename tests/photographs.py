"""A folder of small photographs, one color a class, and a network that was trained on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cnncore.config import TrainConfig, replace
from cnncore.runs.run import Run
from cnncore.runs.store import RunStore
from cnncore.training.execute import Execution

COLORS = {"blue": (40, 60, 200), "green": (50, 170, 60), "red": (200, 50, 40)}
PER_CLASS = {"train": 24, "val": 8}


def photograph(color: tuple[int, int, int], seed: int, size: tuple[int, int] = (60, 44)) -> Image.Image:
    """A noisy picture of mostly one color, width × height."""
    noise = np.random.default_rng(seed).normal(0, 25, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.array(color) + noise, 0, 255).astype(np.uint8))


def write_photographs(root: Path) -> Path:
    """`train/<color>/*.jpg` and `val/<color>/*.jpg`."""
    for split, count in PER_CLASS.items():
        for place, (name, color) in enumerate(COLORS.items()):
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                seed = 1_000 * len(split) + 100 * place + number
                photograph(color, seed).save(folder / f"{number:02}.jpg", quality=95)
    return root


def photo_config(root: Path) -> TrainConfig:
    """A run of a second on `write_photographs(root)`; the middle of each picture is kept."""
    return replace(
        TrainConfig(),
        {
            "data.dataset": "folder",
            "data.path": str(root),
            "data.image_size": 24,
            "data.crop": 0.8,
            "data.interpolation": "bilinear",
            "model.name": "cnn3",
            "model.width": 0.25,
            "training.batch_size": 12,
            "training.epochs": 3,
            "training.precision": "fp32",
        },
    )


def trained(store: RunStore, artifacts: Path, data_root: Path, config: TrainConfig) -> Run:
    """A run that was carried out in this process."""
    run = store.create(config.model_dump(mode="json"), name="Colors", status="starting")
    assert Execution(store, artifacts, data_root, run).carry_out() == "finished", store.get(run.id).error
    return store.get(run.id)

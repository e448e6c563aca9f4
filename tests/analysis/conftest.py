"""Networks that were trained once for all tests: on photographs in colors, and on gray digits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from cnncore.config import TrainConfig, replace
from cnncore.runs.run import Run
from cnncore.runs.store import RunStore
from tests.photographs import photo_config, trained, write_photographs


@dataclass(frozen=True)
class Lab:
    """A store with two runs, and what they were trained on."""

    artifacts: Path
    photos: Path
    colors: Run
    digits: Run


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, data_root: Path) -> Lab:
    root = tmp_path_factory.mktemp("lab")
    photos, artifacts = write_photographs(root / "photos"), root / "runs"
    store = RunStore(f"sqlite:///{artifacts / 'lab.db'}")
    gray = {"data.train_images": 200, "training.batch_size": 50, "training.epochs": 1, "training.precision": "fp32"}
    try:
        return Lab(
            artifacts=artifacts,
            photos=photos,
            colors=trained(store, artifacts, data_root, photo_config(photos)),
            digits=trained(store, artifacts, data_root, replace(TrainConfig(), gray)),
        )
    finally:
        store.engine.dispose()

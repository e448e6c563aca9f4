"""A trained network with everything a bundle tells of: three classes of photographs, a new head, a crop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncore.bundle.writing import write_bundle
from cnncore.config import TrainConfig, replace
from cnncore.runs.store import Run, RunStore
from cnncore.training.execute import Execution


def photograph(seed: int, width: int, height: int) -> Image.Image:
    """Noise at several scales, as photographs have it; red, green or blue, by the seed."""
    random = np.random.RandomState(seed)
    total = np.zeros((height, width, 3))
    for cells in (3, 8, 24, 60):
        noise = Image.fromarray(random.randint(0, 256, (cells, cells, 3)).astype(np.uint8))
        total += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC), np.float64) / cells**0.5
    total[..., seed % 3] *= 1.5
    return Image.fromarray((255 * (total - total.min()) / np.ptp(total)).astype(np.uint8))


def pictures(folder: Path) -> list[Path]:
    """Images of all kinds a person may have."""
    folder.mkdir(parents=True)
    rotated = Image.Exif()
    rotated[0x0112] = 6
    transparent = photograph(3, 90, 120).convert("RGBA")
    transparent.putalpha(Image.linear_gradient("L").resize((90, 120)))
    photograph(0, 400, 300).save(folder / "large.jpg", quality=90)
    photograph(1, 120, 80).save(folder / "rotated.jpg", exif=rotated)
    photograph(2, 30, 41).save(folder / "small.png")
    transparent.save(folder / "transparent.png")
    photograph(4, 1_000, 50).save(folder / "long.png")
    photograph(5, 64, 64).convert("P").save(folder / "palette.png")
    photograph(6, 64, 99).convert("L").save(folder / "gray.webp", lossless=True)
    photograph(7, 77, 64).convert("CMYK").save(folder / "print.jpg")
    return sorted(folder.iterdir())


@dataclass(frozen=True, eq=False, kw_only=True)
class Lab:
    """A lab with one trained run and its bundle."""

    store: RunStore
    artifacts: Path
    data_root: Path
    run: Run
    bundle: Path


def train(root: Path, store: RunStore, **settings: object) -> Run:
    config = replace(TrainConfig(), {"training.epochs": 1, "training.batch_size": 8, **settings})
    run = store.create(config.model_dump(mode="json"), name="My *things*", status="starting")
    Execution(store, root / "runs", root / "data", run).carry_out()
    return store.get(run.id)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    root = tmp_path_factory.mktemp("lab")
    for label, name in enumerate(("one", "two", "three")):
        for number in range(12):
            split = "train" if number < 8 else "test"
            path = root / "photographs" / split / name / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            photograph(3 * number + label, 60, 50).save(path)
    store = RunStore(f"sqlite:///{root / 'lab.db'}")
    run = train(
        root,
        store,
        **{
            "training.epochs": 12,
            "optimizer.lr": 5e-3,
            "data.dataset": "folder",
            "data.path": str(root / "photographs"),
            "data.image_size": 32,
            "data.crop": 0.875,
            "data.interpolation": "bilinear",
            "data.normalize": "imagenet",
            "data.validation": 0.25,
            "model.name": "cnn3",
            "model.width": 0.25,
            "transfer.head": "hidden",
            "transfer.hidden_units": 24,
            "transfer.head_dropout": 0.2,
        },
    )
    assert run.status == "finished", run.error
    yield Lab(
        store=store,
        artifacts=root / "runs",
        data_root=root / "data",
        run=run,
        bundle=write_bundle(store, root / "runs", root / "data", run),
    )
    store.engine.dispose()
